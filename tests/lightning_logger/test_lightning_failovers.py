"""A standby that lags is promoted while Lightning trains: the trainer notices nothing, and its run is whole."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from pytorch_lightning import Trainer
from pytorch_lightning.demos.boring_classes import BoringModel

from runstore import RunReader, open_reader, open_store
from runstore.lightning import RunStoreLogger
from support import session
from support.engines import database_of, with_database
from support.servers import private_server
from support.standby import standby
from support.waiting import wait_until

pytestmark = [pytest.mark.training, pytest.mark.server]

_STEPS = 64


class Acting(BoringModel):
    """Logs its step, and does something before some of its steps."""

    def __init__(self, acts: dict[int, Callable[[], Any]]) -> None:
        super().__init__()
        self._acts = acts

    def training_step(self, batch: torch.Tensor, batch_idx: int) -> torch.Tensor:
        self._acts.get(batch_idx, lambda: None)()
        self.log("train_loss", float(batch_idx), on_step=True, on_epoch=False)
        loss: torch.Tensor = self.step(batch)
        return loss


def test_a_standby_that_lags_is_promoted_under_lightning_and_the_run_is_whole(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    session.needs(request.node, "postgresql")
    with (
        private_server("postgresql", durable=False, options=["-c", "wal_keep_size=256MB"]) as primary,
        standby(primary) as replica,
    ):
        written = primary.new_database()
        open_store(written, durable=False).close()
        replica.wait()
        hosts = ",".join(f"127.0.0.1:{each.ports[0]}" for each in (primary, replica))
        logger = RunStoreLogger(
            f"postgresql://postgres@{hosts}/{database_of(written)}?target_session_attrs=read-write", experiment="x"
        )
        kept = with_database(replica.url, database_of(written))

        def fail_over() -> None:
            # More than the standby has, which has none.
            wait_until(lambda: _count(written) >= _STEPS // 2 - 2, "the first half of the points")
            assert _count(kept) == 0
            primary.kill()
            replica.promote()

        model = Acting({2: replica.stop_receiving, _STEPS // 2: fail_over})
        trainer = Trainer(
            max_steps=_STEPS,
            limit_val_batches=0,
            log_every_n_steps=1,
            logger=logger,
            default_root_dir=tmp_path,
            accelerator="cpu",
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        trainer.fit(model)

        with open_reader(kept) as reader:
            wait_until(lambda: _is_whole(reader), "the whole run")
            (run,) = reader.search_runs("").items
            assert list(reader.get_history(run.id, "loss", "train").values) == [float(step) for step in range(_STEPS)]


def _is_whole(reader: RunReader) -> bool:
    """Whether the run has ended, and all that was logged to it has come."""
    ended = reader.search_runs("status = 'completed'").items
    return any(each.count == _STEPS for run in ended for each in reader.get_summaries(run.id) if each.name == "loss")


def _count(url: str) -> int:
    """How many points a database holds."""
    with open_reader(url) as reader:
        return sum(each.count for run in reader.search_runs("").items for each in reader.get_summaries(run.id))
