"""Rounds as files, one each: a round is written once, when it is over, and none is written again for the next."""

import math
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec
from msgspec import Struct

from runstore.errors import InvalidValueError, SourceError
from runstore.media import Media
from runstore.media.files import new_media
from runstore.protocol import RunReader
from runstore.rounds.values import ClientRound, Round
from runstore.values.checks import shown

FORMAT: Final = "runstore.rounds"
VERSION: Final = 1
"""Of the format that is written. All versions up to this one are read."""

ARTIFACT_TYPE: Final = "round"
"""The type of the artifact, by which a page finds it."""

SERIES: Final = "rounds"
MAX_BYTES: Final = 2**24

_WORDS: Final = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
"""What JSON has no number for."""


class _Client(Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    client: str
    status: str
    reason: str = ""
    run_id: str | None = None
    num_examples: int | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    metrics: dict[str, float | str] = {}


class _File(Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    format: str
    version: int
    round: int
    clients: list[_Client]
    started_at: datetime | None = None
    ended_at: datetime | None = None
    metrics: dict[str, float | str] = {}


def media_of(made: Round, *, metadata: Mapping[str, Any] | None = None) -> Media:
    """A round as a file that is to be kept, for ``log_media`` of a run or :meth:`runstore.media.Media.keep`.

    A round that is kept again replaces the one of its number.

    Args:
        made: the round.
        metadata: more to keep with the artifact.

    Raises:
        InvalidValueError: the metadata are not allowed.
    """

    def write(path: Path) -> dict[str, Any]:
        content = msgspec.json.encode(_file_of(made))
        if len(content) > MAX_BYTES:
            raise InvalidValueError(f"round {made.number} takes {len(content)} bytes; at most {MAX_BYTES} are kept")
        path.write_bytes(content)
        return {"version": VERSION, "clients": len(made.clients), "completed": made.num_completed}

    return new_media(ARTIFACT_TYPE, SERIES, step=made.number, suffixes=(".json",), write=write, metadata=metadata)


def read_rounds(reader: RunReader, run_id: str) -> list[Round]:
    """All rounds of a run, by ascending number. One read of the run's artifacts, and one a round.

    Raises:
        RunNotFoundError: no such run.
        SourceError: the file of a round is none; the message names it.
    """
    found = []
    for artifact in reader.list_artifacts(run_id):
        if artifact.artifact_type == ARTIFACT_TYPE:
            with reader.open_artifact(run_id, artifact.name) as file:
                found.append(read_round(file, name=artifact.name))
    return sorted(found, key=lambda each: each.number)


def read_round(file: BinaryIO, *, name: str = "round") -> Round:
    """The round of a file. The file stays open.

    Args:
        file: an artifact that was opened, or a file.
        name: what errors call it.

    Raises:
        SourceError: this is no such file, or it is of a later version; the message names the place in it.
    """
    content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise SourceError(f"{name}: there are more than {MAX_BYTES} bytes; this is no file of a round")
    try:
        told = msgspec.json.decode(content, type=dict[str, Any])
        if told.get("format") != FORMAT:
            raise SourceError(f"{name}: the format is {shown(told.get('format'))}; give {FORMAT!r}")
        version = told.get("version")
        if isinstance(version, bool) or not isinstance(version, int) or version < 1:
            raise SourceError(f"{name}: the version is {shown(version)}; give a whole number from 1 on")
        if version > VERSION:
            raise SourceError(
                f"{name}: the version is {version}, and this release reads up to {VERSION}; read it with a newer release"
            )
        return _round_of(msgspec.json.decode(content, type=_File))
    except (msgspec.MsgspecError, InvalidValueError, RecursionError, UnicodeDecodeError) as error:
        raise SourceError(f"{name}: {error}") from None


def _file_of(made: Round) -> _File:
    clients = [
        _Client(
            client=each.client,
            status=str(each.status),
            reason=each.reason,
            run_id=each.run_id,
            num_examples=each.num_examples,
            started_at=each.started_at,
            ended_at=each.ended_at,
            metrics=_told(each.metrics),
        )
        for each in made.clients
    ]
    return _File(
        format=FORMAT,
        version=VERSION,
        round=made.number,
        clients=clients,
        started_at=made.started_at,
        ended_at=made.ended_at,
        metrics=_told(made.metrics),
    )


def _round_of(file: _File) -> Round:
    clients = []
    for place, each in enumerate(file.clients):
        try:
            clients.append(
                ClientRound(
                    client=each.client,
                    status=each.status,
                    reason=each.reason,
                    run_id=each.run_id,
                    num_examples=each.num_examples,
                    started_at=each.started_at,
                    ended_at=each.ended_at,
                    metrics=_numbers(each.metrics),
                )
            )
        except InvalidValueError as error:
            raise InvalidValueError(f"clients[{place}]: {error}") from None
    return Round(
        number=file.round,
        clients=tuple(clients),
        started_at=file.started_at,
        ended_at=file.ended_at,
        metrics=_numbers(file.metrics),
    )


def _told(metrics: Mapping[str, float]) -> dict[str, float | str]:
    return {name: value if math.isfinite(value) else str(value) for name, value in metrics.items()}


def _numbers(metrics: Mapping[str, float | str]) -> dict[str, float]:
    found = {}
    for name, value in metrics.items():
        if isinstance(value, str) and value not in _WORDS:
            raise InvalidValueError(f"metrics[{name!r}] is {shown(value)}; give a number, or 'nan', 'inf' or '-inf'")
        found[name] = _WORDS[value] if isinstance(value, str) else value
    return found
