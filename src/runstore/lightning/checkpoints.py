"""Checkpoints as artifacts: which files to keep, when, and under which name."""

import logging
import math
import os
import time
from typing import Any, Literal, NamedTuple

from runstore.lightning.earlier import EarlierCheckpoints, position_in
from runstore.lightning.lineage import Lineage
from runstore.lightning.position import Position
from runstore.lightning.wholeness import Wholeness, file_name, on_local_disk, writes_in_background
from runstore.training.session import RunSession

_log = logging.getLogger(__name__)

LogModel = Literal["all"] | bool

ARTIFACT_TYPE = "checkpoint"
_FOLDER = "checkpoints"

_PATIENCE_S = 30.0
"""How long a checkpoint that is about to be deleted, or a training that ends, waits for its last bytes."""

_LOOK_S = 0.05


class _Written(NamedTuple):
    """A checkpoint that this process has written."""

    callback: str
    position: Position | None
    score: float | None
    role: str


class CheckpointLog:
    """Keeps the files of any number of ``ModelCheckpoint`` callbacks as artifacts of one run.

    ``log_model`` means what it means for WandbLogger: ``False`` keeps nothing; ``"all"`` keeps each file as it is
    written; ``True`` keeps, when training ends well, the files that the callbacks then hold (the best, the last and
    the rest of the top k), and each file as it is written where ``save_top_k=-1``.

    An artifact is named ``checkpoints/<file name>``. Its metadata tell ``role``, ``score``, ``monitor``, ``mode``,
    ``epoch``, ``step``, ``logged_step``, and the ``attempt`` of the run that wrote it ``after`` which others. The role
    is ``top_k``, ``last`` or ``exception`` while training goes on. When it has ended well the best of each callback is
    ``best``, and what was the best before is no longer.

    A file that is still being written is kept when it is whole. Files that an earlier process of the run has written and
    kept are not kept again; their records stay as they are.

    Attributes:
        log_model: as above.
        lineage: the attempt that writes the checkpoints.
    """

    def __init__(self, log_model: LogModel, lineage: Lineage) -> None:
        self.log_model = log_model
        self.lineage = lineage
        self._callbacks: dict[str, Any] = {}
        self._written: dict[str, _Written] = {}
        self._pending: list[str] = []
        self._roles: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._wholeness = Wholeness()
        self._is_async = False
        self._has_finished = False

    def written(self, callback: Any, position: Position | None, session: RunSession, *, trainer: Any = None) -> None:
        """Takes note of the file that a ``ModelCheckpoint`` has just written, and keeps it if that is asked for."""
        if not self.log_model:
            return
        held = _held_by(callback)
        path = str(getattr(callback, "_last_checkpoint_saved", "")) or next(reversed(held), "")
        if not path:
            return
        key = callback.state_key
        self._callbacks[key] = callback
        self._is_async = writes_in_background(trainer)
        role, score = held.get(path, ("exception", None))
        self._written[path] = _Written(key, position, score, "top_k" if role == "best" else role)
        self._roles.pop(path, None)  # the store has the bytes that were there before
        if self.log_model == "all" or callback.save_top_k == -1:
            if path not in self._pending:
                self._pending.append(path)
            self._keep_pending(session)

    def finish(self, session: RunSession, *, is_completed: bool) -> None:
        """Keeps what was being written when a stage ended, and what is held when a training ended well."""
        if not self.log_model:
            return
        self._is_async = self._is_async and not is_completed  # after a good end the trainer has waited for its threads
        self._keep_pending(session, wait_for=set(self._pending))
        if is_completed and self._callbacks:
            earlier = EarlierCheckpoints(session, ARTIFACT_TYPE)
            for key, callback in self._callbacks.items():
                self._keep_held(key, callback, session, earlier)
            self._callbacks.clear()
            self._has_finished = True

    def __getstate__(self) -> dict[str, Any]:
        """Everything but the callbacks, which are weak references and belong to this process's trainer."""
        return self.__dict__ | {"_callbacks": {}}

    def _keep_pending(self, session: RunSession, *, wait_for: set[str] | None = None) -> None:
        """Keeps the files that are whole by now; waits for those that are about to be deleted."""
        held = {path for callback in self._callbacks.values() for path in _held_by(callback)}
        newest = self._pending[-1] if self._pending else ""
        for path in list(self._pending):
            is_urgent = path in wait_for if wait_for is not None else path not in held and path != newest
            if not self._is_whole(path, patience_s=_PATIENCE_S if is_urgent else 0.0):
                if is_urgent:
                    self._pending.remove(path)
                    _log.warning(
                        "run %s: the checkpoint %s is not kept; it is gone, or was not whole within %.0f s",
                        session.run_id, path, _PATIENCE_S,
                    )  # fmt: skip
                continue
            self._pending.remove(path)
            written = self._written[path]
            callback = self._callbacks.get(written.callback)
            if callback is not None:
                self._keep(path, written.role, self._metadata(callback, written), session)

    def _is_whole(self, path: str, *, patience_s: float) -> bool:
        until = time.monotonic() + patience_s
        while not self._wholeness.is_whole(path, is_async=self._is_async):
            if time.monotonic() >= until or (not self._is_async and not os.path.lexists(path)):
                return False
            time.sleep(_LOOK_S)
        return True

    def _keep_held(self, key: str, callback: Any, session: RunSession, earlier: EarlierCheckpoints) -> None:
        held = _held_by(callback)
        for path, (role, score) in held.items():
            name = self._name_of(path)
            written = self._written.get(path)
            if self._roles.get(path) == role or (
                path not in self._roles and written is None and earlier.has(name, role)
            ):
                continue
            if not self._wholeness.is_whole(path, is_async=False):
                continue
            metadata = earlier.metadata_of(name) if written is None else None
            if metadata is None:
                if written is None:
                    written = _Written(key, position_in(path), score, role)
                metadata = self._metadata(callback, written)
            self._keep(path, role, metadata, session)
        best = {self._name_of(path) for path, (role, _) in held.items() if role == "best"}
        if best and (self._has_finished or self.lineage.after):
            earlier.demote(callback.monitor, callback.mode, keep=best)

    def _keep(self, path: str, role: str, metadata: dict[str, Any], session: RunSession) -> None:
        try:
            with on_local_disk(path) as place:
                record = session.log_artifact(
                    place,
                    name=self._name_of(path),
                    artifact_type=ARTIFACT_TYPE,
                    metadata=metadata | {"role": role, "file": file_name(path)},
                )
        except Exception as error:  # noqa: BLE001 - a stranger's file system may raise anything
            _log.warning("run %s: the checkpoint %s is not kept: %s", session.run_id, path, error)
            return
        if record is not None:
            self._roles[path] = role

    def _metadata(self, callback: Any, written: _Written) -> dict[str, Any]:
        position = written.position
        return {
            "score": written.score,
            "monitor": callback.monitor,
            "mode": callback.mode,
            "epoch": None if position is None else position.epoch,
            "step": None if position is None else position.step,
            "logged_step": None if position is None else position.logged_step,
            **self.lineage.as_dict(),
        }

    def _name_of(self, path: str) -> str:
        """A name that stays with the path; a second file of one name, from another folder, is led by that folder's."""
        if path not in self._names:
            taken = set(self._names.values())
            file = file_name(path)
            name = f"{_FOLDER}/{file}"
            if name in taken:
                name = f"{_FOLDER}/{file_name(os.path.dirname(path))}/{file}"  # noqa: PTH120 - it may be a URL
            number = 2
            while name in taken:
                name = f"{_FOLDER}/{number}/{file}"
                number += 1
            self._names[path] = name
        return self._names[path]


def _held_by(callback: Any) -> dict[str, tuple[str, float | None]]:
    """The files a ``ModelCheckpoint`` holds, each with its role and score, the best one last so that it wins."""
    held: dict[str, tuple[str, float | None]] = {}
    for path, score in getattr(callback, "best_k_models", {}).items():
        held[path] = ("top_k", _number(score))
    last = getattr(callback, "last_model_path", "")
    held[last] = ("last", held[last][1] if last in held else _number(getattr(callback, "current_score", None)))
    best, score = getattr(callback, "best_model_path", ""), getattr(callback, "best_model_score", None)
    if score is None or _number(score) is not None:  # otherwise no score was a number, and none is the best
        held[best] = ("best", _number(score))
    held.pop("", None)
    return held


def _number(score: Any) -> float | None:
    """A score; Lightning writes NaN as an infinity."""
    return None if score is None or not math.isfinite(score) else float(score)
