"""A store that was opened to be read: it reads as the store does, and goes where the store goes."""

import pickle

import pytest

from runstore import MetricPoint, ReadOnlyError, RunStore, StoreClosedError, open_reader, open_store


@pytest.fixture
def run_id(sqlite_url: str) -> str:
    with open_store(sqlite_url, durable=False) as store:
        made = store.ensure_run(store.get_or_create_experiment("e"), name="a")
        store.log_metrics(made, [MetricPoint(name="loss", value=0.5, step=1)])
        return made


def test_a_reader_reads_and_refuses_to_write(sqlite_url: str, run_id: str) -> None:
    with open_reader(sqlite_url) as reader:
        assert [run.id for run in reader.search_runs().items] == [run_id]
        assert reader.get_summaries(run_id)[0].last.value == 0.5
        assert isinstance(reader, RunStore)  # it has the verbs, to say that they are the wrong ones
        with pytest.raises(ReadOnlyError, match=r"log_config writes.*open_store\(url\)"):
            reader.log_config(run_id, {"a": 1})


def test_a_pickled_reader_opens_a_connection_of_its_own(sqlite_url: str, run_id: str) -> None:
    with open_reader(sqlite_url) as reader:
        again = pickle.loads(pickle.dumps(reader))

    with again:
        assert again.get_run(run_id).name == "a"
        with pytest.raises(ReadOnlyError):
            again.finalize(run_id, "completed")


def test_a_closed_reader_stays_closed(sqlite_url: str, run_id: str) -> None:
    reader = open_reader(sqlite_url)
    reader.close()
    reader.close()

    with pytest.raises(StoreClosedError):
        reader.get_run(run_id)
    assert "ReadOnlyStore" in repr(reader)
