"""Checkpoints of a run that are in the store already: from an earlier process, or an earlier ``fit``."""

import logging
import tempfile
from functools import cached_property
from pathlib import Path
from typing import Any

from runstore.errors import RunStoreError
from runstore.lightning.position import Position
from runstore.local.files import copy_out
from runstore.model import Artifact
from runstore.protocol import RunReader
from runstore.training.session import RunSession

_log = logging.getLogger(__name__)


class EarlierCheckpoints:
    """The records of a run's checkpoints, read at the first need; none where the store cannot answer now."""

    def __init__(self, session: RunSession, artifact_type: str) -> None:
        self._session = session
        self._artifact_type = artifact_type

    def has(self, name: str, role: str) -> bool:
        """Whether a checkpoint, or a part of it, is there in this role."""
        metadata = self.metadata_of(name)
        return metadata is not None and metadata.get("role") == role

    def metadata_of(self, name: str) -> dict[str, Any] | None:
        """What is known of a checkpoint; ``None`` where it is not there."""
        return next(
            (record.metadata for record in self._records if record.name == name or record.name.startswith(f"{name}/")),
            None,
        )

    def demote(self, monitor: str | None, mode: str, *, keep: set[str]) -> None:
        """Takes the role ``best`` from what was the best by this monitor before, and is no longer."""
        for record in self._records:
            known = record.metadata
            is_former = known.get("role") == "best" and (known.get("monitor"), known.get("mode")) == (monitor, mode)
            if is_former and not any(record.name == name or record.name.startswith(f"{name}/") for name in keep):
                self._rewrite(record, known | {"role": "top_k"})

    @cached_property
    def _records(self) -> list[Artifact]:
        try:
            store = self._session.store
            if isinstance(store, RunReader):
                found = store.list_artifacts(self._session.run_id)
                return [record for record in found if record.artifact_type == self._artifact_type]
        except RunStoreError as error:
            _log.warning(
                "run %s: what was kept before cannot be read now, so roles stay as they are: %s",
                self._session.run_id,
                error,
            )
        return []

    def _rewrite(self, record: Artifact, metadata: dict[str, Any]) -> None:
        """Writes a record anew with the same bytes, which are kept once; the file itself may be long gone."""
        store = self._session.store
        if not isinstance(store, RunReader):
            return
        try:
            with tempfile.TemporaryDirectory(prefix="runstore-checkpoint-") as folder:
                file = Path(folder) / "file"
                with store.open_artifact(record.run_id, record.name) as source:
                    copy_out(source, file)
                self._session.log_artifact(
                    file, name=record.name, artifact_type=record.artifact_type, metadata=metadata
                )
        except (RunStoreError, OSError) as error:
            _log.warning("run %s: %s keeps the role best: %s", record.run_id, record.name, error)


def position_in(path: str) -> Position | None:
    """What a checkpoint file itself tells of epoch and step; ``None`` where it cannot be read."""
    import torch  # noqa: PLC0415 - Lightning has loaded it

    try:
        told = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
        return Position(epoch=int(told["epoch"]), step=int(told["global_step"]), logged_step=None)
    except Exception:  # noqa: BLE001 - a file of any format may raise anything
        return None
