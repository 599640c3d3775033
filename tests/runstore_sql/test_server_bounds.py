"""What a server cuts off is sent in parts, in one transaction all the same; what fits in no way is refused for good."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from runstore import MetricPoint
from runstore.errors import StoreFailureError
from runstore.hookspecs import OpenOptions
from runstore_sql.opening import open_sql
from support.servers import Server, private_server

pytestmark = pytest.mark.server


def points(count: int, names: list[str]) -> list[MetricPoint]:
    return [MetricPoint(name=name, value=step / 7, step=step) for name in names for step in range(count)]


@pytest.fixture(scope="module")
def narrow() -> Iterator[Server]:
    """A MariaDB that takes one mebibyte in a packet."""
    with private_server("mariadb", durable=False, options=["--max-allowed-packet=1M"]) as server:
        yield server


def test_large_calls_fit_into_small_packets(narrow: Server, fast_path: Path) -> None:
    with open_sql(narrow.new_database(), OpenOptions()) as store:
        run_id = store.ensure_run(store.get_or_create_experiment("x"))
        wide = [f"{'Ω' * 200}{number:05}" for number in range(1500)]
        for some in (points(40_000, ["long"]), points(40_000, ["long"]), points(2, wide), points(3, wide)):
            store.log_metrics(run_id, some)
        file = fast_path / "file"
        file.write_bytes(bytes(range(256)) * 10_000)
        store.log_artifact(run_id, file, name="file")
        store.log_config(run_id, {f"key{number}": "x\\" * 20 for number in range(2_000)})

        counts = {each.name: each.count for each in store.get_summaries(run_id)}
        assert counts == {"long": 40_000, **dict.fromkeys(wide, 3)}
        history = store.get_history(run_id, "long", "other")
        assert list(history.steps) == list(range(40_000))
        assert list(history.values) == [step / 7 for step in range(40_000)]
        with store.open_artifact(run_id, "file") as stored:
            assert stored.read() == file.read_bytes()


def test_a_call_in_several_packets_is_all_or_nothing(narrow: Server) -> None:
    with open_sql(narrow.new_database(), OpenOptions()) as store:
        run_id = store.ensure_run(store.get_or_create_experiment("x"))
        store.database.read(
            lambda connection: connection.exec_driver_sql(
                "ALTER TABLE runstore_point ADD CONSTRAINT low CHECK (step < 39999)"
            )
        )

        with pytest.raises(StoreFailureError):
            store.log_metrics(run_id, points(40_000, ["long"]))

        assert list(store.get_history(run_id, "long", "other").steps) == []
        assert store.get_summaries(run_id) == ()


def test_one_value_that_no_packet_takes_is_refused_for_good_and_named(narrow: Server) -> None:
    with open_sql(narrow.new_database(), OpenOptions()) as store:
        run_id = store.ensure_run(store.get_or_create_experiment("x"))

        with pytest.raises(StoreFailureError, match="max_allowed_packet"):
            store.log_config(run_id, {"text": "x" * 2**21})

        assert store.get_config(run_id) == {}
        store.log_config(run_id, {"text": "short"})
        assert store.get_config(run_id) == {"text": "short"}


def test_a_statement_timeout_of_postgresql_does_not_cut_what_writes(postgresql_url: str) -> None:
    with open_sql(postgresql_url, OpenOptions()) as store:
        run_id = store.ensure_run(store.get_or_create_experiment("x"))
    with open_sql(f"{postgresql_url}?options=-cstatement_timeout%3D40ms", OpenOptions()) as store:
        for names in (["one"], ["one"], ["two", "three"]):
            store.log_metrics(run_id, points(60_000, names))
        store.log_metrics(run_id, [MetricPoint(name="one", value=1.0, step=60_000)])

        assert store.database.transactions.is_cut_short

    with open_sql(postgresql_url, OpenOptions(read_only=True)) as reader:
        assert {each.name: each.count for each in reader.get_summaries(run_id)} == {
            "one": 60_001,
            "two": 60_000,
            "three": 60_000,
        }


def test_a_statement_time_of_mariadb_does_not_cut_what_writes() -> None:
    limited = private_server("mariadb", durable=False, options=["--max-statement-time=0.05"])
    with limited as server, open_sql(server.new_database(), OpenOptions()) as store:
        run_id = store.ensure_run(store.get_or_create_experiment("x"))

        store.log_metrics(run_id, points(60_000, ["one"]))

        assert store.get_summaries(run_id)[0].count == 60_000
