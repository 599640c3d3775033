"""A database that turns us away is told before the first step, and never found out after the last."""

import logging
import re
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest
from pytorch_lightning import Trainer

from lightning_logger.models import StoppedModel
from runstore.errors import RunStoreError
from runstore.lightning import RunStoreLogger

pytestmark = pytest.mark.training

MakeTrainer = Callable[..., Trainer]


def steps_of_a_fit(make_trainer: MakeTrainer, url: str, *, durable: bool) -> list[int]:
    steps: list[int] = []
    logger = RunStoreLogger(url, durable=durable)
    with pytest.raises(RunStoreError):
        make_trainer(logger=logger, enable_checkpointing=False).fit(StoppedModel(lambda: steps.append(1), at=0))
    return steps


@pytest.mark.parametrize("durable", [True, False])
@pytest.mark.parametrize("place", ["no-sqlite.db", "folder", "/proc/nope/runs.db"])
def test_a_place_that_no_store_can_be_in_is_an_error_before_the_first_step(
    make_trainer: MakeTrainer, tmp_path: Path, place: str, *, durable: bool
) -> None:
    (tmp_path / "no-sqlite.db").write_text("this is a letter, not a database" * 100)
    (tmp_path / "folder").mkdir()

    assert steps_of_a_fit(make_trainer, f"sqlite:///{tmp_path / place}", durable=durable) == []


@pytest.mark.parametrize("durable", [True, False])
def test_a_database_that_is_not_there_is_an_error_before_the_first_step(
    make_trainer: MakeTrainer, postgresql_url: str, *, durable: bool
) -> None:
    assert steps_of_a_fit(make_trainer, f"{postgresql_url}_nope", durable=durable) == []


def test_a_bare_store_that_is_away_is_said_so(make_trainer: MakeTrainer, caplog: pytest.LogCaptureFixture) -> None:
    url = "postgresql://nobody@127.0.0.1:1/none?connect_timeout=1"
    logger = RunStoreLogger(url, durable=False)

    make_trainer(logger=logger, enable_checkpointing=False).fit(StoppedModel(lambda: None))

    warned = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert "did not take its beginning" in warned[0]
    assert "metric points were not stored" in warned[-1]
    assert logger.experiment.points_not_stored > 0


def test_a_bare_call_of_the_logger_raises_it_too(tmp_path: Path) -> None:
    with pytest.raises(RunStoreError):
        RunStoreLogger("sqlite:////proc/nope/runs.db").log_metrics({"loss": 1.0})
    with pytest.raises(RunStoreError):
        RunStoreLogger("sqlite:////proc/nope/runs.db").experiment.log_artifact(tmp_path)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("runs.db", "write sqlite:///runs.db"),
        (Path("runs.db"), "give a text: 'sqlite:///runs.db'"),
        ("sqllite:///runs.db", "did you mean sqlite://"),
        ("postgresql://me:a@b@host/lab", "write @ as %40"),
    ],
)
def test_a_url_that_is_none_is_told_where_the_logger_is_made(url: str, told: str) -> None:
    with pytest.raises(RunStoreError, match=re.escape(told)):
        RunStoreLogger(url)


def test_no_store_at_all_is_told_once_before_the_first_step(
    make_trainer: MakeTrainer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RUNSTORE_URL", raising=False)

    with pytest.raises(RunStoreError, match="no store was named") as caught:
        make_trainer(logger=RunStoreLogger(), enable_checkpointing=False).fit(StoppedModel(lambda: None))

    assert "During handling" not in "".join(traceback.format_exception(caught.value))
