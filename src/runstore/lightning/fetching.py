"""A run's best or last checkpoint, back from the store."""

import filecmp
import math
import os
import tempfile
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from runstore.errors import ArtifactNotFoundError, InvalidValueError
from runstore.lightning.checkpoints import ARTIFACT_TYPE
from runstore.lightning.lineage import Lineage, abandoned, newest_of
from runstore.local.files import copy_out
from runstore.model import Artifact
from runstore.protocol import RunReader

_RANKED = ("best", "top_k")
"""The roles of checkpoints that were kept for their score."""


class _Saved(NamedTuple):
    """One checkpoint: a file, or the files of a folder by their path in it."""

    parts: dict[str, Artifact]
    known: dict[str, Any]
    created_at: datetime

    @property
    def step(self) -> int | None:
        step = self.known.get("step")
        return step if isinstance(step, int) else None

    @property
    def score(self) -> float | None:
        score = self.known.get("score")
        return float(score) if isinstance(score, (int, float)) and not math.isnan(score) else None

    @property
    def age(self) -> tuple[int, datetime]:
        return (-1 if self.step is None else self.step, self.created_at)


def fetch_checkpoint(  # noqa: PLR0913 - each picks one of the run's checkpoints, keyword-only
    reader: RunReader,
    run_id: str,
    directory: str | os.PathLike[str],
    *,
    role: str = "best",
    monitor: str | None = None,
    overwrite: bool = False,
) -> Path:
    """A run's best (or last) checkpoint, fetched from the store into ``directory``: a file, or a folder if it is one.

    Load it as any other: ``Model.load_from_checkpoint(fetch_checkpoint(reader, run_id, "."))``. The bytes are checked
    against those that were logged. It appears whole or not at all; where it is already, it is left as it is.

    The best one is the one of the best score, also of a training that was killed. What was trained after the step from
    which a later attempt went on is left out.

    Args:
        reader: where the run is.
        run_id: the run.
        directory: where the checkpoint goes; made if need be.
        role: ``"best"``, ``"last"``, ``"top_k"`` or ``"exception"``.
        monitor: what the ``ModelCheckpoint`` watches; needed where the run's callbacks watch several things.
        overwrite: replace a file or folder of the same name that holds other bytes.

    Raises:
        RunNotFoundError: no such run.
        ArtifactNotFoundError: the run has no checkpoint of this role, or none by this monitor.
        InvalidValueError: the run has checkpoints by several monitors, and none was given; or something of the same
            name with other bytes is there, or nothing can be written there.
    """
    saved = _alive(_grouped(reader.list_artifacts(run_id)))
    found = [one for one in saved if one.known.get("role") in (_RANKED if role == "best" else (role,))]
    if not found:
        raise ArtifactNotFoundError(
            f"run {run_id!r} has no checkpoint of role {role!r}; train with RunStoreLogger(log_model=True) "
            "and a ModelCheckpoint to keep one"
        )
    chosen = _chosen(_by_monitor(found, run_id, role, monitor), role)
    return _bring(reader, run_id, chosen, Path(directory), overwrite=overwrite)


def _grouped(records: Iterable[Artifact]) -> list[_Saved]:
    """The checkpoints among a run's artifacts. A folder's files belong together if they were written at one step."""
    groups: dict[tuple[str, int | None], list[tuple[str, Artifact]]] = {}
    for record in records:
        if record.artifact_type == ARTIFACT_TYPE:
            base, inner = _split(record)
            step = record.metadata.get("step")
            groups.setdefault((base, step if isinstance(step, int) else None), []).append((inner, record))
    return [
        _Saved(dict(parts), parts[0][1].metadata, max(record.created_at for _, record in parts))
        for parts in groups.values()
    ]


def _split(record: Artifact) -> tuple[str, str]:
    """The checkpoint's name, and the path in it where it is a folder."""
    file = _plain_name(record.metadata.get("file"))
    if not file or record.name.endswith(f"/{file}"):
        return record.name, ""
    base, found, inner = record.name.partition(f"/{file}/")
    return (f"{base}/{file}", inner) if found else (record.name, "")


def _alive(saved: list[_Saved]) -> list[_Saved]:
    """The checkpoints that the newest attempt of the run descends from or has written."""
    newest = newest_of(Lineage.read(one.known) for one in saved)
    return [one for one in saved if not abandoned(Lineage.read(one.known), one.step, newest)]


def _by_monitor(found: list[_Saved], run_id: str, role: str, monitor: str | None) -> list[_Saved]:
    monitors = sorted({str(one.known["monitor"]) for one in found if one.known.get("monitor") is not None})
    if monitor is None:
        if role != "best" or not monitors:
            return found
        if len(monitors) > 1:
            raise InvalidValueError(
                f"run {run_id!r} has checkpoints by several monitors ({', '.join(monitors)}); "
                f"say which one is to be the best: monitor={monitors[0]!r}"
            )
        (monitor,) = monitors
    kept = [one for one in found if one.known.get("monitor") == monitor]
    if not kept:
        known = f"it has {', '.join(monitors)}" if monitors else "its checkpoints watch nothing"
        raise ArtifactNotFoundError(
            f"run {run_id!r} has no checkpoint of role {role!r} by the monitor {monitor!r}; {known}"
        )
    return kept


def _chosen(found: list[_Saved], role: str) -> _Saved:
    scored = [(one.score, one) for one in found if one.score is not None]
    if role != "best" or not scored:
        return max(found, key=lambda one: one.age)
    sign = -1.0 if scored[0][1].known.get("mode") == "max" else 1.0
    # Of equal scores Lightning keeps the first one for the best, unless its callback knew better.
    return min(scored, key=lambda pair: (sign * pair[0], pair[1].known.get("role") != "best", pair[1].age))[1]


def _bring(reader: RunReader, run_id: str, saved: _Saved, directory: Path, *, overwrite: bool) -> Path:
    first = next(iter(saved.parts.values()))
    # The last part alone: what is stored may not lead out of the directory.
    target = directory / (_plain_name(saved.known.get("file")) or Path(first.name).name)
    if list(saved.parts) == [""]:
        with reader.open_artifact(run_id, first.name) as source:
            copy_out(source, target, overwrite=overwrite)
        return target
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=directory, prefix=f".{target.name[:100]}.") as folder:
        whole, replaced = Path(folder) / "whole", Path(folder) / "replaced"
        for inner, record in saved.parts.items():
            with reader.open_artifact(run_id, record.name) as source:
                copy_out(source, whole / inner)
        if os.path.lexists(target):
            if _are_equal(target, whole):
                return target
            if target.is_symlink() or not target.is_dir() or not overwrite:
                raise InvalidValueError(
                    f"{str(target)!r} is there already and is not the checkpoint's folder; give another place"
                    + (" or overwrite=True" if target.is_dir() else "")
                )
            target.rename(replaced)
        whole.rename(target)
    return target


def _are_equal(one: Path, other: Path) -> bool:
    """Whether two folders hold the same files."""
    if one.is_symlink() or not one.is_dir():
        return False
    files, others = ({file.relative_to(top): file for file in top.rglob("*") if file.is_file()} for top in (one, other))
    return files.keys() == others.keys() and all(
        filecmp.cmp(file, others[inner], shallow=False) for inner, file in files.items()
    )


def _plain_name(file: object) -> str:
    return Path(file).name if isinstance(file, str) else ""
