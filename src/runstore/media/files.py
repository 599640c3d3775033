"""One picture, table or text that is to be kept with a run: its name, its step, and how its file is made.

The file is an artifact like any other. What it is stands under the key ``media`` of the artifact's metadata: ``kind``,
``name`` and, if it is one of a series, ``step``; beside them what the kind knows of itself, such as a width.
"""

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Protocol

from msgspec import Struct

from runstore.errors import InvalidValueError
from runstore.model import Artifact
from runstore.protocol import RunStore
from runstore.values.checks import check_artifact_name, check_step, check_word, shown

KEY: Final = "media"
"""Where an artifact's metadata tells of it."""

_STEP_DIGITS: Final = 9
"""Steps of a series sort as texts up to a thousand million; beyond, by the step in the metadata."""


class LogArtifact(Protocol):
    """How an artifact is handed on: ``log_artifact`` of a session, or of a store with the run's id bound to it."""

    def __call__(self, path: Path, *, name: str, artifact_type: str, metadata: Mapping[str, Any]) -> Artifact | None:
        """Keeps the file before it returns: the file is gone afterwards."""
        ...


class Media(Struct, frozen=True, kw_only=True):
    """What :func:`figure`, :func:`image`, :func:`table`, :func:`text` and :func:`histogram` give.

    The kind of everything was checked; nothing is drawn, encoded or written before :meth:`log` or :meth:`keep`.

    Attributes:
        kind: ``"figure"``, ``"image"``, ``"table"``, ``"text"`` or ``"histogram"``.
        name: the name of the series, or of the one file.
        step: ``None`` for one file; a step for one of a series.
        suffixes: the endings that the name may have, which say what kind of file it becomes; the first one is added to
            a name that has none of them.
        write: makes the file at a path, and gives what is to be told of it.
        metadata: more to keep with the artifact, nested and typed like a config.
    """

    kind: str
    name: str
    step: int | None
    suffixes: tuple[str, ...]
    write: Callable[[Path], Mapping[str, Any]]
    metadata: Mapping[str, Any]

    @property
    def suffix(self) -> str:
        """How the file's name ends."""
        return next((suffix for suffix in self.suffixes if self.name.lower().endswith(suffix)), self.suffixes[0])

    @property
    def artifact_name(self) -> str:
        """The artifact's name: ``roc.png``, or ``overlay/000000010.png`` at step 10."""
        base = self.base
        return f"{base}{self.suffix}" if self.step is None else f"{base}/{self.step:0{_STEP_DIGITS}d}{self.suffix}"

    @property
    def base(self) -> str:
        """The name without a suffix: what it is read back by."""
        return self.name[: -len(self.suffix)] if self.name.lower().endswith(self.suffix) else self.name

    def log(self, log_artifact: LogArtifact) -> Artifact | None:
        """Makes the file and hands it to ``log_artifact``, as of a run's session; gives what that gives.

        Raises:
            Exception: what drawing or encoding raises, and what ``log_artifact`` does.
        """
        with tempfile.TemporaryDirectory(prefix="runstore-media-") as folder:
            file = Path(folder) / f"file{self.suffix}"
            told = self.write(file)
            about = {"kind": self.kind, "name": self.base, **({} if self.step is None else {"step": self.step}), **told}
            return log_artifact(
                file, name=self.artifact_name, artifact_type=self.kind, metadata={**self.metadata, KEY: about}
            )

    def keep(self, store: RunStore, run_id: str) -> Artifact:
        """Makes the file and keeps it with a run of a store.

        Raises:
            RunStoreError: what ``log_artifact`` of the store raises.
            Exception: what drawing or encoding raises.
        """

        def log_artifact(path: Path, *, name: str, artifact_type: str, metadata: Mapping[str, Any]) -> Artifact:
            return store.log_artifact(run_id, path, name=name, artifact_type=artifact_type, metadata=metadata)

        kept = self.log(log_artifact)
        assert kept is not None  # noqa: S101 - a store gives a record or raises
        return kept


def new_media(  # noqa: PLR0913 - the parts of one, keyword-only past the name
    kind: str,
    name: str,
    *,
    step: object,
    suffixes: tuple[str, ...],
    write: Callable[[Path], Mapping[str, Any]],
    metadata: Mapping[str, Any] | None,
) -> Media:
    """A media of which name, step and metadata are of the right kind.

    Raises:
        InvalidValueError: one of them is not.
    """
    if metadata is not None and not isinstance(metadata, Mapping):
        raise InvalidValueError(f"metadata is {shown(metadata)} of type {type(metadata).__name__}; give a mapping")
    made = Media(
        kind=check_word(kind, "kind"),
        name=check_artifact_name(name),
        step=None if step is None else check_step(step, "step"),
        suffixes=suffixes,
        write=write,
        metadata=dict(metadata or {}),
    )
    check_artifact_name(made.artifact_name)
    if not made.base or made.base.endswith("/"):
        raise InvalidValueError(f"name {shown(name)} is nothing but an ending; give a name such as 'overlay{name}'")
    return made


def wrong_kind(field: str, value: object, allowed: str) -> InvalidValueError:
    """The error for an argument of the wrong kind."""
    return InvalidValueError(f"{field} is {shown(value)} of type {type(value).__name__}; give {allowed}")
