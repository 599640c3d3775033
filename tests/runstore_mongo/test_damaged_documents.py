"""Documents that another program has changed are told by name: one error, and no driver's or decoder's."""

from typing import Any

import pytest
from pymongo import MongoClient

from runstore import RunReader, open_reader, open_store
from runstore.errors import StoreFailureError

pytestmark = pytest.mark.server


def search(reader: RunReader) -> object:
    return reader.search_runs()


def get(reader: RunReader) -> object:
    return reader.get_run("mine")


def list_files(reader: RunReader) -> object:
    return reader.list_artifacts("mine")


def test_what_cannot_be_read_is_named(mongodb_url: str) -> None:
    with open_store(mongodb_url, durable=False) as store:
        store.ensure_run(store.get_or_create_experiment("x"), run_id="mine")
        store.finalize("mine", "completed")
        store.log_artifact("mine", "s3://bucket/key", name="weights", copy=False)

    with MongoClient[dict[str, Any]](mongodb_url) as client, open_reader(mongodb_url) as reader:
        database = client.get_default_database()
        as_it_was = database["runs"].find_one({"_id": "mine"})
        assert as_it_was is not None
        for change in (
            {"$set": {"tags": {"a": "b"}}}, {"$set": {"status": "odd"}}, {"$set": {"provenance": "{odd"}},
            {"$set": {"start_time": "yesterday"}}, {"$unset": {"name": 1}},
        ):  # fmt: skip
            database["runs"].update_one({"_id": "mine"}, change)
            for read in (search, get):
                with pytest.raises(
                    StoreFailureError, match=r"the document of run 'mine' (holds|lacks).*restore a backup"
                ):
                    read(reader)
            database["runs"].replace_one({"_id": "mine"}, as_it_was)
        assert reader.get_run("mine").id == "mine"

        database["run_artifacts"].update_many({}, {"$set": {"metadata": "{odd"}})
        with pytest.raises(StoreFailureError, match="artifact 'weights'"):
            list_files(reader)
