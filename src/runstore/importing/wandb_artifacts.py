"""What a program of W&B has given to ``log_artifact``.

The record names each file, its size, and where W&B has put a copy: offline that is its staging folder, mostly
``~/.local/share/wandb/artifacts/staging``, outside of the folder ``wandb``. A record from elsewhere could name any file of this
machine, so a copy is taken only from below the folder that is imported, or below one that a person has named.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

from runstore.errors import InvalidValueError
from runstore.importing.facts import cleaned
from runstore.importing.folding import fit_text
from runstore.importing.report import RunFindings, Told
from runstore.importing.source import opened_plainly
from runstore.importing.wandb_items import json_of
from runstore.importing.wandb_records import fields_of
from runstore.moving import ArrivingFile
from runstore.secrets import redact
from runstore.values.checks import check_artifact_name

_TYPE, _NAME, _DIGEST, _DESCRIPTION, _METADATA, _ALIAS, _MANIFEST = 4, 5, 6, 7, 8, 11, 12
_ENTRY: Final = 4
_PATH, _REFERENCE, _SIZE, _COPY = 1, 3, 4, 6
_STAGING: Final = Path("artifacts", "staging")


class _Entry(NamedTuple):
    path: str
    reference: str
    size: int
    copy: str


class LoggedArtifact(NamedTuple):
    """One artifact, as it was logged.

    Attributes:
        name: as the program called it.
        digest: of all of it: a second version of a name has another one.
        kind: W&B's type.
        metadata: description, aliases and what the program gave.
        entries: its files.
    """

    name: str
    digest: str
    kind: str
    metadata: dict[str, Any]
    entries: list[_Entry]

    @classmethod
    def of(cls, data: bytes) -> "LoggedArtifact":
        """The artifact of a record."""
        texts: dict[int, str] = {}
        aliases: list[str] = []
        entries: list[_Entry] = []
        for field, value in fields_of(data):
            if not isinstance(value, bytes):
                continue
            if field == _ALIAS:
                aliases.append(_text(value))
            elif field == _MANIFEST:
                entries += [_entry(each) for one, each in fields_of(value) if one == _ENTRY and isinstance(each, bytes)]
            elif field in {_TYPE, _NAME, _DIGEST, _DESCRIPTION, _METADATA}:
                texts[field] = _text(value)
        given = cleaned(json_of(texts[_METADATA].encode())) if texts.get(_METADATA) else None
        said = {"aliases": aliases, "description": texts.get(_DESCRIPTION), "metadata": given}
        metadata = {key: value for key, value in said.items() if value}
        return cls(texts.get(_NAME, ""), texts.get(_DIGEST, ""), texts.get(_TYPE) or "artifact", metadata, entries)


def files_of(
    artifacts: Iterable[LoggedArtifact], folder: Path, named: Sequence[Path], found: RunFindings
) -> Iterator[ArrivingFile]:
    """The files of artifacts, called ``name/path``; of a later version of a name ``name-v1/path``. What is not there is told.

    Args:
        artifacts: in the order in which they were logged.
        folder: what is imported.
        named: by a person.
        found: what is told of the run.
    """
    versions: dict[str, list[str]] = {}
    allowed = [each.resolve() for each in (folder, *named)]
    for artifact in artifacts:
        known = versions.setdefault(artifact.name, [])
        if artifact.digest in known:
            continue
        known.append(artifact.digest)
        called = artifact.name if len(known) == 1 else f"{artifact.name}-v{len(known) - 1}"
        away: dict[Path, int] = {}
        for entry in artifact.entries:
            try:
                name = check_artifact_name(f"{called}/{entry.path}")
            except InvalidValueError as error:
                found.tell(Told.FILE_LEFT_OUT, f"no store takes its name: {error}", key=f"{called}/{entry.path}")
                continue
            kept = None if entry.reference else _copy_of(entry, allowed, named)
            if kept is None and not entry.reference:
                away[Path(entry.copy).parent] = away.get(Path(entry.copy).parent, 0) + 1
                continue
            yield _arriving(name, artifact, entry, kept)
        for place, count in away.items():
            text = f"{count} files are copied to {place}, or were; name that folder with --artifacts to have them"
            found.tell(Told.FILES_ELSEWHERE, text, key=called, count=count)


def _arriving(name: str, artifact: LoggedArtifact, entry: _Entry, kept: Path | None) -> ArrivingFile:
    if kept is None:
        return ArrivingFile(
            name=name, artifact_type=artifact.kind, metadata=artifact.metadata, uri=redact(entry.reference)
        )
    return ArrivingFile(
        name=name,
        artifact_type=artifact.kind,
        metadata=artifact.metadata,
        created_at=datetime.fromtimestamp(kept.stat().st_mtime, UTC),
        open=partial(opened_plainly, kept),
        size=entry.size,
    )


def _copy_of(entry: _Entry, allowed: Sequence[Path], named: Sequence[Path]) -> Path | None:
    """Where the copy of a file lies: as the record says, or, where the folder has moved, below a named one by its own name."""
    copy = Path(entry.copy)
    for place in (
        copy,
        *(folder / copy.name for folder in named),
        *(folder / _STAGING / copy.name for folder in named),
    ):
        try:
            where = place.resolve()
            if (
                any(where.is_relative_to(each) for each in allowed)
                and where.is_file()
                and where.stat().st_size == entry.size
            ):
                return where
        except (OSError, ValueError, RuntimeError):  # a name that no system takes, or a link to itself
            continue
    return None


def _entry(data: bytes) -> _Entry:
    parts: dict[int, Any] = dict(fields_of(data))
    texts = [
        _text(value) if isinstance(value := parts.get(field), bytes) else "" for field in (_PATH, _REFERENCE, _COPY)
    ]
    size = parts.get(_SIZE, 0)
    return _Entry(texts[0], texts[1], size if isinstance(size, int) else 0, texts[2])


def _text(data: bytes) -> str:
    return fit_text(data.decode("utf-8", "backslashreplace"))
