"""How far a run has come, in the line that is said first."""

from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from runstore import MetricPoint, Store, open_store
from runstore_ui import Options, make_app
from runstore_ui.epochs import Epochs
from runstore_ui.run import planned_epochs
from support.asgi import ask


@pytest.fixture
def store(tmp_path: Path) -> Any:
    with open_store(f"sqlite:///{tmp_path / 'runs.db'}", durable=False) as opened:
        yield opened


def standing(store: Store, config: dict[str, Any], epochs: list[float], *, minutes: float = 2, steps: int = 10) -> str:
    """The first line of a run that has told these epochs, each of them ``minutes`` after the one before, the last just now."""
    run = store.ensure_run(store.get_or_create_experiment("e"))
    store.log_config(run, config)
    now = datetime.now(UTC)
    points = [
        MetricPoint(
            "epoch", epoch, index * steps + more, "other", now - timedelta(minutes=minutes * (len(epochs) - 1 - index))
        )
        for index, epoch in enumerate(epochs)
        for more in range(3)
    ]
    store.log_metrics(run, points)
    text = unescape(ask(make_app(store, Options(shown_url="")), f"/run?id={run}").text)
    return text.partition("</span> ")[2].partition("</span>")[0]


@pytest.mark.parametrize(
    ("config", "epochs", "said"),
    [
        (
            {"trainer": {"max_epochs": 20}},
            [0, 1, 2, 3, 4, 5, 6],
            "running, epoch 7 of 20, about 28 min left, last sign",
        ),
        ({"epochs": 20}, [1, 2, 3, 4, 5, 6, 7], "running, epoch 7 of 20, about 28 min left, last sign"),
        ({"num_train_epochs": 3.0}, [0.5, 1, 1.5, 2], "running, epoch 3 of 3, about 4 min left, last sign"),
        ({"max_epochs": 20}, [0], "running, epoch 1 of 20, last sign"),
        ({"warmup": {"epochs": 20}}, [0, 1, 2], "running, epoch 3, last sign"),
        ({"epochs": 20, "trainer": {"max_epochs": 30}}, [0, 1], "running, epoch 2, last sign"),
        ({"max_epochs": 20, "max_steps": 100}, [0, 1], "running, epoch 2, last sign"),
        ({"max_epochs": 20}, [5, 6], "running for"),
        ({"max_epochs": 20}, [], "running for"),
        ({"max_epochs": 2}, [0, 1, 2, 3], "running for"),
    ],
)
def test_a_run_that_goes_on_says_its_epoch_of_how_many_and_the_time_left_as_far_as_that_is_known(
    store: Store, config: dict[str, Any], epochs: list[float], said: str
) -> None:
    assert standing(store, config, epochs).startswith(said)


def test_the_number_of_epochs_is_told_by_settings_of_the_whole_training_alone() -> None:
    assert planned_epochs({"training": {"max_epochs": 8}, "data": {"epochs": 3}}) == 8
    assert planned_epochs({"trainer/max_epochs": 8}) == planned_epochs({"trainer.max_epochs": 8}) == 8
    assert planned_epochs({"max_epochs": -1}) is planned_epochs({"max_epochs": None}) is planned_epochs({}) is None
    assert planned_epochs({"num_train_epochs": 2.5}) is None


def test_a_step_lies_within_its_epoch_by_its_share_of_the_steps() -> None:
    epochs = Epochs.of((step, step // 100, step) for step in range(9, 250, 10))

    assert [epochs.place(step) for step in (9, 109, 159, 209)] == [0.0, 1.0, 1.5, 2.0]
    assert epochs.place(229) == pytest.approx(2.2)
    assert epochs.place(8) is None
    assert epochs.place(250) is None


def test_where_the_epoch_goes_back_no_step_has_a_place() -> None:
    epochs = Epochs.of([(0, 0, 0), (10, 1, 0), (20, 2, 0), (30, 0, 0), (40, 1, 0), (50, 3, 0), (60, 4, 0)])

    assert [epochs.place(step) for step in (20, 30, 45, 50, 60)] == [2.0, None, None, 3.0, 4.0]
