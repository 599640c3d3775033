"""Media that a Lightning project logs: with the arguments of Lightning's own loggers, over steps, by rank zero alone."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from lightning_fabric.utilities.rank_zero import rank_zero_only
from matplotlib.figure import Figure
from pytorch_lightning import Trainer

from lightning_logger.models import Model
from runstore import media
from runstore.errors import InvalidValueError, StoreUnavailableError
from runstore.lightning import RunStoreLogger
from runstore.memory.store import MemoryStore
from runstore.opening.stores import open_store

pytestmark = pytest.mark.training


def figure() -> Figure:
    drawn = Figure(figsize=(1, 1))
    drawn.subplots().plot([0, 1], [0, 1])
    return drawn


def names(store: MemoryStore, run_id: str) -> list[str]:
    return [artifact.name for artifact in store.list_artifacts(run_id)]


class Painter(Model):
    """Logs of each kind in its validation, as a project does."""

    def validation_step(self, batch: torch.Tensor, batch_idx: int) -> None:
        super().validation_step(batch, batch_idx)
        logger: Any = self.logger
        logger.log_image("overlay", [torch.rand(3, 8, 8)], caption=["a lung"])
        logger.log_table("preds", columns=["id", "score"], data=[["a", 0.5], ["b", 0.75]])
        logger.log_text("report", "no finding")
        logger.log_histogram("logits", torch.arange(10.0))
        logger.experiment.log_figure("roc", figure())


def test_each_kind_is_kept_over_the_steps_of_a_training_and_reads_back(
    store: MemoryStore, make_trainer: Callable[..., Trainer]
) -> None:
    logger = RunStoreLogger(store=store)

    make_trainer(logger=logger, max_epochs=2, num_sanity_val_steps=0).fit(Painter())

    run_id = logger.run_id
    assert store.get_run(run_id).status == "completed"
    for name, kind in (("overlay", "image"), ("preds", "table"), ("report", "text"), ("logits", "histogram")):
        items = list(media.read_series(store, run_id, name))
        assert [(item.step, item.artifact.artifact_type) for item in items] == [(1, kind), (3, kind)], name
    assert {artifact.metadata.get("caption") for artifact in store.list_artifacts(run_id)} == {None, "a lung"}
    assert "roc.png" in names(store, run_id)
    assert list(store.get_history(run_id, "score", "validation").steps) == [1, 3]  # where an image is, a point is


def test_several_images_of_one_call_are_a_series_each(store: MemoryStore) -> None:
    logger = RunStoreLogger(store=store)

    logger.log_image(key="samples", images=[np.zeros((4, 4)), np.ones((4, 4))], step=7, caption=["black", "white"])

    assert names(store, logger.run_id) == ["samples/0/000000007.png", "samples/1/000000007.png"]
    assert [artifact.metadata["caption"] for artifact in store.list_artifacts(logger.run_id)] == ["black", "white"]


def test_the_calls_of_wandb_logger_are_taken_as_they_stand(store: MemoryStore) -> None:
    logger = RunStoreLogger(store=store)

    logger.log_table("t", ["a"], [[1]], None, 1)
    logger.log_text("answers", ["question", "answer"], [["why", "because"]])
    logger.log_text(key="again", columns=["question"], data=[["why"]])
    logger.log_table("columns", dataframe={"a": [1, 2]})

    kinds = [artifact.artifact_type for artifact in store.list_artifacts(logger.run_id)]
    assert kinds == ["table"] * 4
    assert names(store, logger.run_id)[-1].startswith("t/000000001.")


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda logger: logger.log_image("i", 3), "image is 3"),
        (lambda logger: logger.log_image("i", [np.zeros((2, 2))], caption="x"), "an item for each of 1 images"),
        (lambda logger: logger.log_table("t", ["a"]), "either columns and data, or a dataframe"),
        (lambda logger: logger.log_table("t", columns=["id", "x"], data=[["a"]]), "give 2 values"),
        (lambda logger: logger.log_figure("f", None), "matplotlib or plotly"),
        (lambda logger: logger.log_text("t"), "either columns and data"),
    ],
)
def test_what_is_of_the_wrong_kind_is_told_and_stops_nothing(
    call: Callable[[RunStoreLogger], None], told: str, store: MemoryStore, caplog: pytest.LogCaptureFixture
) -> None:
    logger = RunStoreLogger(store=store)

    call(logger)
    logger.finalize("success")

    assert told in caplog.text
    assert store.get_run(logger.run_id).status == "completed"


def test_a_key_that_is_not_allowed_raises_at_once(store: MemoryStore) -> None:
    with pytest.raises(InvalidValueError, match="name"):
        RunStoreLogger(store=store).log_image("../i", np.zeros((2, 2)))


def test_one_image_needs_no_list(store: MemoryStore) -> None:
    logger = RunStoreLogger(store=store)

    logger.log_image("single", torch.rand(8, 8), step=3, caption="a lung")

    (artifact,) = store.list_artifacts(logger.run_id)
    assert (artifact.name, artifact.metadata["caption"]) == ("single/000000003.png", "a lung")


def test_an_image_that_is_none_leaves_the_others_of_its_call(store: MemoryStore) -> None:
    logger = RunStoreLogger(store=store)

    logger.log_image("pair", [None, np.zeros((2, 2))], step=0)

    assert names(store, logger.run_id) == ["pair/1/000000000.png"]


def test_other_ranks_draw_nothing(store: MemoryStore) -> None:
    logger = RunStoreLogger(store=store)
    rank_zero_only.rank = 1  # type: ignore[attr-defined]

    logger.log_image("i", [object()])
    logger.log_figure("f", object())
    logger.experiment.log_figure("f", object())

    assert store.search_runs().items == ()


def test_what_cannot_be_drawn_and_a_store_that_is_away_stop_nothing(caplog: pytest.LogCaptureFixture) -> None:
    class Away(MemoryStore):
        def record_artifacts(self, *_args: Any, **_options: Any) -> Any:
            raise StoreUnavailableError("the server is away")

    class Unfit(Figure):
        def savefig(self, *_args: Any, **_options: Any) -> None:
            raise ZeroDivisionError("a scale of zero")

    with Away() as away:
        logger = RunStoreLogger(store=away)
        logger.log_metrics({"loss": 1.0}, step=0)
        logger.log_figure("curve", Unfit())
        logger.log_image("scan", [np.zeros((2, 2))])
        logger.finalize("success")

        warned = " ".join(record.getMessage() for record in caplog.records)
        assert away.get_run(logger.run_id).status == "completed"
        assert "a scale of zero" in warned
        assert "the server is away" in warned


def test_a_pickled_logger_keeps_media_of_the_same_run(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/runs.db"
    logger = RunStoreLogger(url, durable=False)
    logger.log_text("note", "first", step=0)

    copy = pickle.loads(pickle.dumps(logger))
    copy.log_text("note", "second", step=1)
    copy.finalize("success")
    logger.finalize("success")

    with open_store(url, durable=False) as store:
        assert [item.read() for item in media.read_series(store, logger.run_id, "note")] == [b"first", b"second"]
