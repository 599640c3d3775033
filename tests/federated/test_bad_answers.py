"""Whatever one client sends as a message of Flower's costs that client its round, and nobody else anything. Needs Flower."""

from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo
from typing import Any

import numpy as np
import pytest

pytest.importorskip("flwr", reason="Flower is not installed; it comes with the extra federated of pneumo-train")

from flwr.app import Array, ArrayRecord, ConfigRecord, Message, MessageType, MetricRecord, RecordDict
from flwr.supercore.task_identity import TaskIdentity

from pneumo_train.config.federation import federation_of
from pneumo_train.config.optimizer import OptimizerConfig
from pneumo_train.federating import rounds, values
from pneumo_train.federating.flower import engine
from pneumo_train.federating.flower.engine import FlowerEngine
from pneumo_train.federating.recording import told
from pneumo_train.federating.rounds import Played, Rounds
from pneumo_train.federating.values import Answer, Arrays, Request
from runstore import open_store
from runstore.rounds import media_of, read_rounds
from support.loopback import Loopback, Spoil

pytestmark = [pytest.mark.federated, pytest.mark.filterwarnings("default")]

NAMES = ("anna", "bern")
START: Arrays = {"weight": np.zeros((2, 2), np.float32), "mean": np.zeros(3, np.float32)}


@pytest.fixture(autouse=True)
def identity(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_task_id", "_run_id", "_node_id"):
        monkeypatch.setattr(TaskIdentity, name, 1)


def add_one(request: Request) -> Answer:
    arrays = {name: array + 1 for name, array in request.arrays.items()} if request.task == "train" else {}
    return Answer(client=request.client, num_examples=10, metrics={"val_loss": 0.5}, arrays=arrays)


def play(spoil: Spoil, **options: Any) -> list[Played]:
    """Three rounds; in the second one what the second client answers to train is spoilt."""

    def spoilt(asked: Message, answer: Message) -> Message:
        is_bad = (asked.metadata.dst_node_id, asked.metadata.message_type) == (2, MessageType.TRAIN)
        return spoil(asked, answer) if is_bad and asked.content["config"]["round"] == 2 else answer

    config = federation_of({"num_clients": len(NAMES), "num_rounds": 3, "round_timeout": 5, **options})
    grid = Loopback(dict(enumerate(NAMES, start=1)), add_one, spoilt)
    played = Rounds(
        engine=FlowerEngine(grid, list(NAMES), config, frozenset({"weight"})),
        config=config,
        optimizer=OptimizerConfig(),
        names=NAMES,
        look=lambda _arrays: {"val_loss": 0.5},
        seed=7,
    )
    return list(played.play(START))


def _weights(array: np.ndarray[Any, Any]) -> ArrayRecord:
    return ArrayRecord({"weight": Array(array), "mean": Array(START["mean"])})


def _broken(content: bytes) -> ArrayRecord:
    return ArrayRecord({"weight": Array("float32", (2, 2), "numpy.ndarray", content), "mean": Array(START["mean"])})


def _figures(**figures: float) -> MetricRecord:
    return MetricRecord({"num-examples": 10, "val_loss": 0.5, **figures})


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "numbers that float32 has not": (
        {"arrays": _weights(np.full((2, 2), 1e300))},
        "weight holds float64; float32 was sent",
    ),
    "an array without content": ({"arrays": _broken(b"")}, "EOFError"),
    "an array of nonsense": ({"arrays": _broken(b"nonsense")}, "its answer is no answer"),
    "no arrays": ({"arrays": ConfigRecord({"weight": "x", "mean": "y"})}, "AttributeError"),
    "a figure without a name": ({"metrics": _figures(**{"": 1.0})}, "its figures cannot be kept"),
    "a control character in a name": ({"metrics": _figures(**{"loss\n": 1.0})}, "its figures cannot be kept"),
    "a name that is too long": ({"metrics": _figures(**{"x" * 250: 1.0})}, "its figures cannot be kept"),
    "more figures than are kept": (
        {"metrics": _figures(**{f"val_{number}": 1.0 for number in range(1_200)})},
        "it has 1,201 figures; at most 400 are kept",
    ),
    "a figure in the server's name": ({"metrics": _figures(global_val_loss=0.1)}, "which is a name of the server's"),
    "a list for a figure": ({"metrics": MetricRecord({"num-examples": 10, "val_loss": [1.0, 2.0]})}, "no answer"),
    "a long name": ({"config": ConfigRecord({"client": "z" * 300_000})}, "it calls itself 'zzz"),
    "a long name of an array": (
        {"arrays": ArrayRecord({"weight" * 50_000: Array(START["weight"])})},
        "its arrays are not those that were sent",
    ),
    "nothing at all": ({"arrays": None, "metrics": None, "config": None}, "its answer is no answer"),
}


def _with(records: dict[str, Any]) -> Callable[[Message, Message], Message]:
    def spoil(asked: Message, answer: Message) -> Message:
        content = {**answer.content, **records}
        return Message(RecordDict({key: each for key, each in content.items() if each is not None}), reply_to=asked)

    return spoil


@pytest.mark.parametrize("kind", BAD)
def test_a_message_that_is_no_good_costs_its_client_the_round_and_is_in_the_record(kind: str) -> None:
    records, reason = BAD[kind]

    played = play(_with(records))

    assert [{name: reply.status for name, reply in each.replies.items()} for each in played] == [
        {"anna": "completed", "bern": "completed"},
        {"anna": "completed", "bern": "refused"},
        {"anna": "completed", "bern": "completed"},
    ]
    assert [float(each.arrays["weight"][0, 0]) for each in played] == [1, 2, 3]
    with open_store("memory://", durable=False) as store:
        run_id = store.ensure_run(store.get_or_create_experiment("federation"))
        for each in played:
            media_of(told(each)).keep(store, run_id)
        kept = {client.client: client for client in read_rounds(store, run_id)[1].clients}
    assert kept["bern"].status == "refused"
    assert reason in kept["bern"].reason
    assert len(kept["bern"].reason) <= 1_000


@pytest.mark.parametrize("strategy", ["fedavg", "fedadam"])
@pytest.mark.parametrize(
    "records",
    [
        {"metrics": _figures(val_f2=0.1)},
        {"more": MetricRecord({"another": 1})},
        {"more": ArrayRecord({"another": Array(START["mean"])})},
        {"metrics": ConfigRecord({"num-examples": 10, "val_loss": 0.5})},
    ],
    ids=["one figure more", "one record of figures more", "one record of arrays more", "figures in another record"],
)
def test_an_answer_with_more_than_it_needs_is_taken_and_only_what_it_needs_goes_into_the_mean(
    records: dict[str, Any], strategy: str
) -> None:
    played = play(_with(records), strategy=strategy)

    assert {reply.status for each in played for reply in each.replies.values()} == {"completed"}
    assert [float(each.arrays["mean"][0]) for each in played] == [1, 2, 3]


def test_a_client_that_says_at_length_why_it_has_failed_is_told_in_short() -> None:
    failed = RecordDict({"config": ConfigRecord({"client": "bern", "failed": "no\x00 disk\n" * 100_000})})

    played = play(lambda asked, _answer: Message(failed, reply_to=asked))

    made = {client.client: client for client in told(played[1]).clients}["bern"]
    assert (made.status, len(made.reason)) == ("failed", 1_000)
    assert made.reason.startswith("no\\x00 disk no")


class StepsBack(datetime):
    """A clock that somebody puts back by an hour each time it is looked at."""

    looks = 0

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        cls.looks += 1
        return datetime.now(tz) - timedelta(hours=cls.looks)


def test_a_clock_that_is_put_back_ends_no_federation_and_no_round_ends_before_it_has_begun(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module in (engine, rounds, values):
        monkeypatch.setattr(module, "datetime", StepsBack, raising=False)

    made = [told(each) for each in play(lambda _asked, answer: answer)]

    assert StepsBack.looks > 0
    assert len(made) == 3
    lasted = [each.duration_s for each in made]
    lasted += [client.duration_s for each in made for client in each.clients]
    assert all(seconds is not None and seconds >= 0 for seconds in lasted)
