"""What an earlier call has left of a row: a checkpoint to go on from, or files that nobody needs."""

import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from pneumo_train.collector import file_name_of
from pneumo_train.errors import ConfigError, DataError, InUseError
from pneumo_train.federating.last import LAST as LAST_ROUND
from pneumo_train.fitting.last import LAST
from pneumo_train.studying.kept import KeptStudy

Tell = Callable[[str], None]
Result = TypeVar("Result")


def gone_on(train: Callable[..., Result], checkpoint_dir: Path, cut_off: str | None, tell: Tell) -> Result | None:
    """The end of a row that was cut off and has left a checkpoint to go on from; ``None`` if it must be trained anew.

    Raises:
        InUseError: another process is training it.
        DivergedError: the loss is NaN or infinite.
    """
    if cut_off is None:
        return None
    if any((checkpoint_dir / file_name_of(cut_off) / last).is_file() for last in (LAST, LAST_ROUND)):
        try:
            return train(run_id=cut_off, resume=True)
        except InUseError:
            raise
        except (ConfigError, DataError) as error:
            # The checkpoint is damaged, of another release or of other images; what else is wrong stops it anew, too.
            tell(f"cannot go on with {cut_off}, and begins anew: {error}")
            remove(checkpoint_dir, cut_off)
    return None


def remove_leftovers(kept: KeptStudy, checkpoint_dir: Path) -> None:
    """Takes away the checkpoints of tries that another one stands for."""
    for run_id in kept.over:
        remove(checkpoint_dir, run_id)


def remove(checkpoint_dir: Path, run_id: str) -> None:
    """Takes away the checkpoints of one row: a study of a hundred would fill a disk. What is not there or cannot go stays."""
    with suppress(OSError):
        shutil.rmtree(checkpoint_dir / file_name_of(run_id))
