"""What a person is told of a MongoDB database: its schema, what is missing, and what an upgrade does about it."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from pymongo import MongoClient

from runstore.backend import Grade, Rights
from runstore.errors import ForeignSchemaError, SettingsError
from runstore_mongo.administering import MongoAdministration
from runstore_mongo.connection.urls import with_database
from runstore_mongo.schema import STEPS, VERSION
from runstore_mongo.store import MongoStore


@pytest.fixture
def administration(url: str) -> Iterator[MongoAdministration]:
    with MongoAdministration(url) as administration:
        yield administration


@pytest.fixture
def database(url: str) -> Iterator[Any]:
    with MongoClient[dict[str, Any]](url) as client:
        yield client.get_default_database()


def test_an_empty_database_has_no_schema_and_is_left_as_it_is(
    administration: MongoAdministration, database: Any
) -> None:
    state = administration.schema_state()

    assert (state.found, state.known, state.is_readable) == (None, VERSION, False)
    assert state.steps == tuple(STEPS.values())
    assert database.list_collection_names() == []


def test_an_upgrade_makes_the_schema_and_a_sound_store_has_no_warning(administration: MongoAdministration) -> None:
    administration.upgrade()
    administration.upgrade()

    state = administration.schema_state()
    assert (state.found, state.steps, state.is_readable, state.is_writable) == (VERSION, (), True, True)
    findings = {each.subject: each for each in administration.findings()}
    assert set(findings) == {"server", "indexes", "clock"}
    assert {each.grade for each in findings.values()} == {Grade.OK}, findings
    assert administration.rights() == Rights()


def test_an_older_schema_is_told_and_brought_up_to_date(
    administration: MongoAdministration, store: MongoStore, database: Any
) -> None:
    store.close()
    database["runstore_schema"].update_one({}, {"$set": {"version": 1, "min_writer": 1}})

    state = administration.schema_state()
    assert (state.found, state.is_readable, state.steps) == (1, True, (STEPS[2],))
    administration.upgrade()

    assert administration.schema_state().steps == ()


def test_an_index_that_is_missing_is_named_and_made_by_an_upgrade(
    administration: MongoAdministration, store: MongoStore, database: Any
) -> None:
    store.close()
    database["runs"].drop_index("results")

    findings = {each.subject: each for each in administration.findings()}
    assert findings["indexes"].grade is Grade.WARNING
    assert "runs.results" in findings["indexes"].found
    administration.upgrade()

    assert {each.grade for each in administration.findings() if each.subject == "indexes"} == {Grade.OK}


def test_a_schema_of_others_is_refused(administration: MongoAdministration, database: Any) -> None:
    database["runs"].insert_one({"mine": 1})

    with pytest.raises(ForeignSchemaError, match="runstore did not make"):
        administration.schema_state()


def test_there_is_no_sql(administration: MongoAdministration) -> None:
    with pytest.raises(SettingsError, match="no SQL"):
        administration.select("SELECT 1", limit=1)


def test_a_place_for_trials_is_apart_and_removed_with_all_that_is_in_it(
    administration: MongoAdministration, store: MongoStore, url: str
) -> None:
    with administration.scratch() as scratch, MongoStore(scratch) as trial:
        trial.get_or_create_experiment("trial")
        assert [each.name for each in trial.list_experiments().items] == ["trial"]

    assert store.list_experiments().items == ()
    with MongoClient[dict[str, Any]](url) as client:
        assert urlsplit(scratch).path.removeprefix("/") not in client.list_database_names()  # others may try, too


@pytest.mark.parametrize(
    ("url_of_store", "expected"),
    [
        ("mongodb://host/runs", "mongodb://host/trial"),
        ("mongodb://host:1,two:2/runs?tls=true", "mongodb://host:1,two:2/trial?tls=true"),
        ("mongodb://me:p%2F@host/runs", "mongodb://me:p%2F@host/trial?authSource=runs"),
        ("mongodb://me:p@host/runs?w=1&authSource=admin", "mongodb://me:p@host/trial?w=1&authSource=admin"),
    ],
)
def test_a_user_stays_one_of_the_database_that_was_named(url_of_store: str, expected: str) -> None:
    assert with_database(url_of_store, "trial") == expected
