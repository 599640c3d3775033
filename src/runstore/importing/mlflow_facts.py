"""A run as MLflow keeps it, in a database or in files, in the terms of a store here.

=============================  ======================================================================================
in MLflow                      here
=============================  ======================================================================================
run id                         the id is made of it: the same run has the same id, whichever of the two it came from
parameters                     the configuration; a number or a truth value that Python wrote is one again
``mlflow.runName``, ``name``   the name
``mlflow.note.content``        the note; of an experiment its description
``mlflow.parentRunId``         the parent
other tags                     tags
``FINISHED``                   ``completed``
``FAILED``                     ``failed``
``KILLED``                     ``interrupted``
``RUNNING``, ``SCHEDULED``     ``in_progress``
metric keys                    name and dataset type by the rule of :mod:`runstore.training.naming`
=============================  ======================================================================================
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from msgspec import Struct

from runstore.errors import InvalidValueError
from runstore.importing.folding import fit_name, fit_text, time_us, typed
from runstore.importing.report import RunFindings, Told
from runstore.model import Run, RunStatus, from_microseconds
from runstore.secrets import redact
from runstore.values import ConfigDocument, experiment_id_of
from runstore.values.checks import MAX_TAGS_BYTES, MAX_TEXT_LENGTH

FORMAT: Final = "mlflow"
MLFLOW_TABLES: Final = frozenset({"experiments", "runs", "params", "tags", "metrics", "experiment_tags"})
"""What a database of MLflow has, of any release since 1.0."""

_RUNS: Final = uuid.UUID("f0f0b9a3-6d06-5a6c-8a4f-0d6c5a1b7c11")
"""Namespace of the ids of runs that come from MLflow. It must never change: a second import must find what the first made."""

_STATUSES: Final = {
    "RUNNING": RunStatus.IN_PROGRESS,
    "SCHEDULED": RunStatus.IN_PROGRESS,
    "FINISHED": RunStatus.COMPLETED,
    "FAILED": RunStatus.FAILED,
    "KILLED": RunStatus.INTERRUPTED,
}
_NUMBERED: Final = {1: "RUNNING", 2: "SCHEDULED", 3: "FINISHED", 4: "FAILED", 5: "KILLED"}
"""How files have it since 0.4."""

_NAME: Final = "mlflow.runName"
_NOTE: Final = "mlflow.note.content"
_PARENT: Final = "mlflow.parentRunId"
_COMMIT: Final = "mlflow.source.git.commit"

_LEASE_S: Final = 86_400.0
_TAG_BYTES: Final = 32


class Facts(Struct, frozen=True, kw_only=True):
    """One run of MLflow, as it was read.

    Attributes:
        source: the folder or the URL that it comes from, without secrets.
        run_id: in MLflow.
        name: as MLflow 2 keeps it beside the tag.
        status: its word, or its number.
        start_time: in milliseconds.
        end_time: likewise.
        user: who ran it.
        artifact_uri: where it keeps its files.
        experiment: its name, as every store takes it.
        experiment_id: in MLflow.
        tags: as they are.
        last_point: the time of the last point, in milliseconds.
    """

    source: str
    run_id: str
    name: str | None
    status: object
    start_time: object
    end_time: object
    user: object
    artifact_uri: object
    experiment: str
    experiment_id: str
    tags: Mapping[str, str]
    last_point: int | None = None


class Model(NamedTuple):
    """A model that a run of MLflow 3 has logged: its files lie beside those of the run.

    Attributes:
        id: in MLflow.
        name: as it was logged; several of one run may have the same.
        location: the folder or the URL of its files.
    """

    id: str
    name: str
    location: str


def prefixes_of(models: Sequence[Model]) -> list[str]:
    """What the names of the models' files begin with, in the order in which they were logged; a later one changes none."""
    taken: set[str] = set()
    prefixes = []
    for model in models:
        prefix = f"models/{model.name}/"
        prefixes.append(prefix if prefix not in taken else f"models/{model.name}.{model.id}/")
        taken.add(prefix)
    return prefixes


def id_of(run_id: str) -> str:
    """The id here of a run of MLflow."""
    return str(uuid.uuid5(_RUNS, run_id))


def run_of(facts: Facts, found: RunFindings, *, is_known: Iterable[str]) -> Run:
    """The run with every fact.

    Args:
        facts: as they were read.
        found: what is told of it.
        is_known: the ids in MLflow of the runs that come with it, of which its parent must be one.
    """
    status = _status(facts.status, found)
    start_us = time_us(facts.start_time)
    last_us = time_us(facts.last_point)
    if start_us is None:
        start_us = last_us or 0
        found.tell(Told.TIMES_REPLACED, f"no start is known; it is {from_microseconds(start_us).isoformat()} here")
    end_us = time_us(facts.end_time) if status.is_final else None
    if status.is_final and end_us is None:
        end_us = max(last_us or start_us, start_us)
        found.tell(Told.TIMES_REPLACED, f"no end is known; it is {from_microseconds(end_us).isoformat()} here")
    if end_us is not None and end_us < start_us:
        found.tell(Told.TIMES_REPLACED, "the end lies before the start; it is the start here")
        end_us = start_us
    heartbeat_us = end_us if end_us is not None else max(start_us, last_us or start_us)
    name = facts.name or facts.tags.get(_NAME)
    return Run(
        id=id_of(facts.run_id),
        experiment_id=experiment_id_of(facts.experiment),
        name=fit_name(name, found, what="the run") if name else None,
        status=status,
        training_mode="centralized",
        parent_run_id=_parent(facts, found, is_known),
        client_id=None,
        attempt=1,
        start_time=from_microseconds(start_us),
        end_time=None if end_us is None else from_microseconds(end_us),
        heartbeat_at=from_microseconds(heartbeat_us),
        lease_s=_LEASE_S,
        source_path=None,
        tags=_tags(facts.tags, found),
        provenance=_provenance(facts),
        note=_cut(facts.tags[_NOTE], found, key=_NOTE) if facts.tags.get(_NOTE) else None,
    )


def description_of(tags: Mapping[str, str], found: RunFindings) -> str | None:
    """The description of an experiment."""
    note = tags.get(_NOTE)
    return _cut(note, found, key=_NOTE) if note else None


def config_of(params: Iterable[tuple[str, str]], found: RunFindings) -> dict[str, Any]:
    """The configuration; a parameter that no store takes is left out, and told."""
    config: dict[str, Any] = {}
    for key, text in sorted(params):
        value = typed(fit_text(text))
        try:
            ConfigDocument.checked({fit_text(key): value})
        except InvalidValueError as error:
            found.tell(Told.LEFT_OUT, f"the parameter is left out: {error}", key=key)
        else:
            config[fit_text(key)] = value
    return config


def _status(given: object, found: RunFindings) -> RunStatus:
    word = _NUMBERED.get(given) if isinstance(given, int) else given
    status = _STATUSES.get(word.upper()) if isinstance(word, str) else None
    if status is None:
        found.tell(Told.LEFT_OUT, f"the status {given!r} is not known; the run is in_progress here", key="status")
        return RunStatus.IN_PROGRESS
    return status


def _parent(facts: Facts, found: RunFindings, is_known: Iterable[str]) -> str | None:
    parent = facts.tags.get(_PARENT)
    if not parent or parent == facts.run_id:
        return None
    if parent not in is_known:
        text = f"the parent {parent!r} is not there or was deleted; the run has none here"
        found.tell(Told.PARENT_MISSING, text, key=_PARENT)
        return None
    return id_of(parent)


def _tags(tags: Mapping[str, str], found: RunFindings) -> dict[str, str]:
    kept: dict[str, str] = {}
    size = 0
    for key, text in sorted(tags.items()):
        if key in {_NAME, _NOTE, _PARENT}:
            continue
        value = fit_text(redact(text) if key.startswith("mlflow.source.") else text)
        name = fit_name(key, found, what="the tag")
        size += _TAG_BYTES + len(name.encode()) + len(value.encode())
        if len(value) > MAX_TEXT_LENGTH or size > MAX_TAGS_BYTES:
            found.tell(Told.LEFT_OUT, f"the tag of {len(value)} characters is too long and left out", key=key)
            continue
        kept[name] = value
    return kept


def _cut(text: str, found: RunFindings, *, key: str) -> str:
    fit = fit_text(text)
    if len(fit) > MAX_TEXT_LENGTH:
        found.tell(Told.LEFT_OUT, f"of {len(fit)} characters the first {MAX_TEXT_LENGTH} are kept", key=key)
    return fit[:MAX_TEXT_LENGTH]


def _provenance(facts: Facts) -> dict[str, Any]:
    imported = {"format": FORMAT, "source": facts.source, "id": facts.run_id, "experiment_id": facts.experiment_id}
    for name, value in (("user", facts.user), ("artifacts", facts.artifact_uri)):
        if isinstance(value, str) and value:
            imported[name] = redact(fit_text(value))
    provenance: dict[str, Any] = {"imported": imported}
    if facts.tags.get(_COMMIT):
        provenance["git"] = {"commit": fit_text(facts.tags[_COMMIT])}
    return provenance
