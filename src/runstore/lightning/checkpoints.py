"""Checkpoints as artifacts: which files to keep, when, under which name, and how to get the best one back."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from runstore.errors import ArtifactNotFoundError
from runstore.files import copy_out
from runstore.model import Artifact
from runstore.protocol import RunReader
from runstore.session import RunSession

LogModel = Literal["all"] | bool

ARTIFACT_TYPE = "checkpoint"
_FOLDER = "checkpoints"


class Position(NamedTuple):
    """How far the training was."""

    epoch: int
    step: int


class _Seen(NamedTuple):
    """A checkpoint file as it was when it was written."""

    modified: float
    score: float | None
    position: Position | None


class _Kept(NamedTuple):
    """What was logged of a file the last time."""

    modified: float
    role: str


class CheckpointLog:
    """Keeps the files of any number of ``ModelCheckpoint`` callbacks as artifacts of one run.

    ``log_model`` means what it means for WandbLogger: ``False`` keeps nothing; ``"all"`` keeps each file as it is
    written; ``True`` keeps, when training ends well, the files that the callbacks then hold (the best, the last and
    the rest of the top k), and each file as it is written where ``save_top_k=-1``.

    An artifact is named ``checkpoints/<file name>``. Its metadata tell ``role`` (``best``, ``last`` or ``top_k``),
    ``score``, ``monitor``, ``mode``, ``epoch`` and ``step``. The role is that of the moment of logging; the last one
    logged as ``best`` is the best, and at the end of training roles that have changed are written anew.
    """

    def __init__(self, log_model: LogModel) -> None:
        """Nothing is kept yet."""
        self.log_model = log_model
        self._callbacks: dict[str, Any] = {}
        self._seen: dict[str, _Seen] = {}
        self._kept: dict[str, _Kept] = {}
        self._names: dict[str, str] = {}

    def written(self, callback: Any, position: Position | None, session: RunSession) -> None:
        """Takes note of what a ``ModelCheckpoint`` has just written, and keeps it if that is asked for."""
        if not self.log_model:
            return
        self._callbacks[callback.state_key] = callback
        for path, (_role, score) in _held_by(callback).items():
            modified = _modified(path)
            seen = self._seen.get(path)
            if modified is not None and (seen is None or seen.modified < modified):
                self._seen[path] = _Seen(modified, score, position)
        if self.log_model == "all" or callback.save_top_k == -1:
            self._keep(callback, session, renew_roles=False)

    def finish(self, session: RunSession) -> None:
        """Keeps what is held at the end of a training that ended well."""
        for callback in self._callbacks.values():
            self._keep(callback, session, renew_roles=True)

    def __getstate__(self) -> dict[str, Any]:
        """Everything but the callbacks, which are weak references and belong to this process's trainer."""
        return self.__dict__ | {"_callbacks": {}}

    def _keep(self, callback: Any, session: RunSession, *, renew_roles: bool) -> None:
        for path, (role, score) in _held_by(callback).items():
            modified = _modified(path)
            if modified is None:
                continue
            kept = self._kept.get(path)
            is_new = kept is None or kept.modified < modified
            if is_new or (renew_roles and kept is not None and kept.role != role):
                record = session.log_artifact(
                    path,
                    name=self._name_of(path),
                    artifact_type=ARTIFACT_TYPE,
                    metadata=self._metadata(callback, path, role, score),
                )
                if record is not None:
                    self._kept[path] = _Kept(modified, role)

    def _metadata(self, callback: Any, path: str, role: str, score: float | None) -> dict[str, Any]:
        seen = self._seen.get(path)
        position = None if seen is None else seen.position
        if score is None and seen is not None:
            score = seen.score
        return {
            "role": role,
            "score": score,
            "monitor": callback.monitor,
            "mode": callback.mode,
            "epoch": None if position is None else position.epoch,
            "step": None if position is None else position.step,
            "file": Path(path).name,
        }

    def _name_of(self, path: str) -> str:
        """A name that stays with the path; a second file of one name, from another folder, is led by that folder's."""
        if path not in self._names:
            taken = set(self._names.values())
            file = Path(path)
            name = f"{_FOLDER}/{file.name}"
            if name in taken:
                name = f"{_FOLDER}/{file.parent.name}/{file.name}"
            number = 2
            while name in taken:
                name = f"{_FOLDER}/{number}/{file.name}"
                number += 1
            self._names[path] = name
        return self._names[path]


def fetch_checkpoint(
    reader: RunReader,
    run_id: str,
    directory: str | os.PathLike[str],
    *,
    role: str = "best",
    overwrite: bool = False,
) -> Path:
    """A file with a run's best (or last) checkpoint, fetched from the store into ``directory``.

    Load it as any other: ``Model.load_from_checkpoint(fetch_checkpoint(reader, run_id, "."))``. The bytes are checked
    against those that were logged. The file appears whole or not at all; where it is already, it is left as it is.

    Args:
        reader: where the run is.
        run_id: the run.
        directory: where the file goes; made if need be.
        role: ``"best"`` or ``"last"``.
        overwrite: replace a file of the same name that holds other bytes.

    Raises:
        InvalidValueError: there is a file of the same name with other bytes, or no file can be written there.
        RunNotFoundError: no such run.
        ArtifactNotFoundError: the run has no checkpoint of this role.
    """
    candidates = [
        artifact
        for artifact in reader.list_artifacts(run_id)
        if artifact.artifact_type == ARTIFACT_TYPE and artifact.metadata.get("role") == role
    ]
    if not candidates:
        raise ArtifactNotFoundError(
            f"run {run_id!r} has no checkpoint of role {role!r}; train with RunStoreLogger(log_model=True) "
            "and a ModelCheckpoint to keep one"
        )
    newest = max(candidates, key=_order)
    # The last part alone: what is stored may not lead out of the directory.
    target = Path(directory) / Path(str(newest.metadata.get("file") or newest.name)).name
    with reader.open_artifact(run_id, newest.name) as source:
        copy_out(source, target, overwrite=overwrite)
    return target


def _order(artifact: Artifact) -> tuple[int, str]:
    step = artifact.metadata.get("step")
    return (step if isinstance(step, int) else -1, artifact.created_at.isoformat())


def _held_by(callback: Any) -> Mapping[str, tuple[str, float | None]]:
    """The files a ``ModelCheckpoint`` holds, each with its role and score, the best one last so that it wins."""
    held: dict[str, tuple[str, float | None]] = {}
    for path, score in getattr(callback, "best_k_models", {}).items():
        held[path] = ("top_k", _number(score))
    last = getattr(callback, "last_model_path", "")
    held[last] = ("last", held[last][1] if last in held else _number(getattr(callback, "current_score", None)))
    best = getattr(callback, "best_model_path", "")
    held[best] = ("best", _number(getattr(callback, "best_model_score", None)))
    held.pop("", None)
    return held


def _number(score: Any) -> float | None:
    return None if score is None else float(score)


def _modified(path: str) -> float | None:
    try:
        return Path(path).stat().st_mtime
    except OSError:
        return None
