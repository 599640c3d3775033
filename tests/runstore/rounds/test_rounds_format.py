"""The format of rounds: what is kept comes back, and what is not of the format is told with its place."""

import io
import json
import math
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from runstore.errors import InvalidValueError, SourceError
from runstore.memory.store import MemoryStore
from runstore.rounds import ClientRound, ClientStatus, Round, media_of, read_round, read_rounds

START = datetime(2026, 11, 29, 12, 0, 0, 123456, tzinfo=UTC)


def full(number: int = 1) -> Round:
    return Round(
        number=number,
        clients=(
            ClientRound(
                client="st-anna",
                status="completed",
                run_id="child-1",
                num_examples=120,
                started_at=START,
                ended_at=START + timedelta(seconds=90),
                metrics={"auroc": 0.1 + 0.2, "loss": math.inf},
            ),
            ClientRound(client="charité", status="failed", reason='CUDA out of memory: "try" less\nor more'),
            ClientRound(client="lyon", status=ClientStatus.LATE, reason="no answer within 600 s"),
            ClientRound(client="oslo", status="refused", metrics={"loss": math.nan, "gap": -math.inf}),
            ClientRound(client="turku", status="away"),
        ),
        started_at=START,
        ended_at=START + timedelta(hours=1),
        metrics={"auroc": 0.91},
    )


def content(**changed: Any) -> io.BytesIO:
    told: dict[str, Any] = {"format": "runstore.rounds", "version": 1, "round": 1, "clients": []}
    return io.BytesIO(json.dumps({**told, **changed}).encode())


def test_rounds_come_back_by_their_number_whatever_the_order_of_writing() -> None:
    with MemoryStore() as store:
        run_id = store.ensure_run(store.get_or_create_experiment("e"))
        for number in (10, 2, 1):
            media_of(full(number)).keep(store, run_id)
        store.log_config(run_id, {"a": 1})
        found = read_rounds(store, run_id)

    # NaN is not equal to itself, so it is looked at apart.
    assert [each.number for each in found] == [1, 2, 10]
    assert repr(found) == repr([full(number) for number in (1, 2, 10)])
    assert math.isnan(found[0].clients[3].metrics["loss"])


def test_a_file_of_version_1_is_read_for_ever() -> None:
    with (Path(__file__).with_name("format-1") / "round.json").open("rb") as file:
        assert repr(read_round(file)) == repr(full())


def test_an_artifact_says_which_round_it_is_and_a_round_kept_again_replaces_it() -> None:
    with MemoryStore() as store:
        run_id = store.ensure_run(store.get_or_create_experiment("e"))
        media_of(Round(number=7, clients=())).keep(store, run_id)
        artifact = media_of(full(7), metadata={"strategy": "fedavg"}).keep(store, run_id)
        found = read_rounds(store, run_id)

    assert (artifact.name, artifact.artifact_type) == ("rounds/000000007.json", "round")
    assert artifact.metadata == {
        "strategy": "fedavg",
        "media": {"kind": "round", "name": "rounds", "step": 7, "version": 1, "clients": 5, "completed": 1},
    }
    assert [len(each.clients) for each in found] == [5]


def test_times_are_kept_to_the_microsecond_and_say_how_long_it_took() -> None:
    there = timezone(timedelta(hours=2))
    made = Round(number=0, clients=(), started_at=START.astimezone(there), ended_at=START + timedelta(microseconds=1))

    assert made.started_at == START
    assert made.duration_s == 1e-6
    assert full().clients[0].duration_s == 90
    assert full().clients[1].duration_s is None
    assert full().num_completed == 1


def test_numbers_of_numpy_are_taken() -> None:
    np = pytest.importorskip("numpy")

    made = ClientRound(client="a", status="completed", num_examples=np.int64(3), metrics={"auroc": np.float32(0.5)})

    assert (made.num_examples, made.metrics) == (3, {"auroc": 0.5})


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"client": ""}, "client is empty"),
        ({"status": "gone"}, "status is 'gone'; give one of 'completed', 'failed', 'late', 'refused', 'away'"),
        ({"reason": "x" * 1001}, "reason has 1001 characters"),
        ({"num_examples": -1}, "num_examples"),
        ({"num_examples": 1.5}, "num_examples is 1.5"),
        ({"started_at": datetime(2026, 1, 1)}, "started_at is the naive time"),  # noqa: DTZ001 - that is the point
        ({"started_at": START, "ended_at": START - timedelta(seconds=1)}, "is before started_at"),
        ({"metrics": [1]}, "metrics is [1] of type list"),
        ({"metrics": {"auroc": "high"}}, "metrics['auroc'] is 'high'"),
    ],
)
def test_what_is_not_allowed_of_a_client_is_named(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidValueError) as raised:
        ClientRound(**{"client": "a", "status": "completed", **changed})

    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"number": -1}, "number"),
        ({"clients": "abc"}, "clients is 'abc'"),
        ({"clients": [ClientRound(client="a", status="away")] * 2}, "clients have 'a' twice"),
    ],
)
def test_what_is_not_allowed_of_a_round_is_named(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidValueError) as raised:
        Round(**{"number": 1, "clients": (), **changed})

    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("file", "message"),
    [
        (io.BytesIO(b""), "truncated"),
        (io.BytesIO(b"[]"), "Expected `object`"),
        (io.BytesIO(b'{"format": "\xff"}'), "utf-8"),
        (content(format="other"), "the format is 'other'; give 'runstore.rounds'"),
        (content(version=2), "the version is 2, and this release reads up to 1"),
        (content(version=True), "the version is True"),
        (content(other=1), "unknown field `other`"),
        (content(round="1"), "Expected `int`, got `str` - at `$.round`"),
        (content(round=-1), "number"),
        (content(clients=[{"client": "a"}]), "missing required field `status` - at `$.clients[0]`"),
        (content(clients=[{"client": "a", "status": "away"}, {"client": "b", "status": "gone"}]), "clients[1]: status"),
        (
            content(clients=[{"client": "a", "status": "away", "metrics": {"x": "NaN"}}]),
            "clients[0]: metrics['x'] is 'NaN'",
        ),
        (content(started_at="2026-11-29T12:00:00"), "started_at is the naive time"),
        (content(metrics={"x": None}), "at `$.metrics[...]`"),
    ],
)
def test_what_is_not_of_the_format_is_told_with_its_place(file: io.BytesIO, message: str) -> None:
    with pytest.raises(SourceError) as raised:
        read_round(file, name="rounds/1.json")

    assert str(raised.value).startswith("rounds/1.json: ")
    assert message in str(raised.value)


def test_a_file_of_another_program_is_read() -> None:
    found = read_round(
        content(
            clients=[{"client": "a", "status": "completed", "num_examples": 3, "metrics": {"loss": "nan", "auroc": 1}}]
        )
    )

    assert (found.clients[0].num_examples, found.clients[0].metrics["auroc"]) == (3, 1.0)
    assert math.isnan(found.clients[0].metrics["loss"])


def test_what_has_no_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runstore.rounds.files.MAX_BYTES", 1000)

    with pytest.raises(SourceError, match="there are more than 1000 bytes"):
        read_round(io.BytesIO(b" " * 1001))
