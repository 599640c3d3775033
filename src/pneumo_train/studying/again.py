"""What an earlier call has left of a row: a checkpoint to go on from, or files that nobody needs."""

import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from pneumo_train.collector import file_name_of
from pneumo_train.errors import LastCheckpointError
from pneumo_train.federating.last import LAST as LAST_ROUND
from pneumo_train.fitting.last import LAST
from pneumo_train.studying.kept import KeptStudy

Tell = Callable[[str], None]
Result = TypeVar("Result", bound=Any)


def trained(train: Callable[..., Result], checkpoint_dir: Path, cut_off: Sequence[str], tell: Tell) -> Result:
    """How the training of a row ended: gone on with from the newest checkpoint that an earlier call has left for it, else begun anew.

    Only a checkpoint that does not fit is passed over, and none goes before the row is complete: whatever else is wrong, as a GPU that is not
    there or a full disk, stops the study, and the same command goes on once it is mended.

    Args:
        train: trains; with ``run_id`` and ``resume`` it goes on.
        checkpoint_dir: has the folders of the runs.
        cut_off: the runs of this row that did not come to their end, the newest first.
        tell: is told why a run cannot be gone on with.

    Raises:
        PneumoTrainError: as ``train`` does; but for :class:`LastCheckpointError`.
    """
    unfit: list[str] = []
    result = _gone_on(train, checkpoint_dir, cut_off, tell, unfit) or train()
    for run_id in (*unfit, result["run_id"]):
        remove(checkpoint_dir, run_id)
    return result


def _gone_on(
    train: Callable[..., Result], checkpoint_dir: Path, cut_off: Sequence[str], tell: Tell, unfit: list[str]
) -> Result | None:
    for run_id in cut_off:
        if any((checkpoint_dir / file_name_of(run_id) / last).is_file() for last in (LAST, LAST_ROUND)):
            try:
                return train(run_id=run_id, resume=True)
            except LastCheckpointError as error:
                tell(f"cannot go on with {run_id}, which stays until the row is complete: {error}")
                unfit.append(run_id)
    return None


def remove_leftovers(kept: KeptStudy, checkpoint_dir: Path) -> None:
    """Takes away the checkpoints of tries that a completed run stands for."""
    for run_id in kept.over:
        remove(checkpoint_dir, run_id)


def remove(checkpoint_dir: Path, run_id: str) -> None:
    """Takes away the checkpoints of one row: a study of a hundred would fill a disk. What is not there or cannot go stays."""
    with suppress(OSError):
        shutil.rmtree(checkpoint_dir / file_name_of(run_id))
