"""What the records of W&B say of a run beside its points."""

import uuid
from typing import Any, Final

from runstore.importing.facts import config_of
from runstore.importing.folding import fit_name, fit_text, time_us
from runstore.importing.report import RunFindings, Told
from runstore.importing.wandb_artifacts import LoggedArtifact
from runstore.importing.wandb_items import items_of, json_of, key_of, path_of, reading_us, timestamp_us
from runstore.importing.wandb_records import fields_of
from runstore.model import Run, RunFailure, RunStatus, from_microseconds
from runstore.secrets import redact
from runstore.values import experiment_id_of
from runstore.values.checks import MAX_TEXT_LENGTH

FORMAT: Final = "wandb"
_RUNS: Final = uuid.UUID("a3c1b1a0-52a6-5f0e-9d0b-6d0f6f1f8e57")
"""Namespace of the ids of runs that come from W&B. It must never change: a second import must find what the first made."""

HISTORY, SUMMARY, STATS = 2, 3, 7
"""The fields of a record that have points."""

_CONFIG, _ARTIFACT, _RUN, _EXIT, _ENVIRONMENT = 5, 8, 17, 18, 26
_CTRL_C: Final = 255
_LEASE_S: Final = 86_400.0
_UNNAMED: Final = "uncategorized"
"""What W&B calls the project of runs that were given none."""

_RUN_TEXTS: Final = {
    1: "id", 2: "entity", 3: "project", 6: "group", 7: "job_type", 8: "name", 9: "notes", 12: "sweep", 13: "host",
}  # fmt: skip
_ENVIRONMENT_TEXTS: Final = {1: "platform", 2: "python", 6: "program", 12: "host", 13: "user"}


class WandbFacts:
    """Gathers them record by record, from the files of one run in the order of time.

    Attributes:
        texts: what a word or a line says.
        config: the configuration.
        artifacts: what the program has given to ``log_artifact``.
    """

    def __init__(self) -> None:
        """Nothing is known."""
        self.texts: dict[str, str] = {}
        self.config: dict[str, Any] = {}
        self._tags: list[str] = []
        self._git: dict[str, str] = {}
        self._arguments: list[str] = []
        self.artifacts: list[LoggedArtifact] = []
        self._start_us: int | None = None
        self._stats_us = 0
        self._exit_code: int | None = None
        self._last_row = b""

    def take(self, kind: int, data: bytes) -> None:
        """One record."""
        if kind == HISTORY:
            self._last_row = data
        elif kind == STATS:
            self._stats_us = max(self._stats_us, reading_us(data))
        elif kind == _CONFIG:
            self._configure(data)
        elif kind == _RUN:
            self._begin(data)
        elif kind == _EXIT:
            self._exit_code = next(
                (int(value) for one, value in fields_of(data) if one == 1 and isinstance(value, int)), 0
            )
        elif kind == _ARTIFACT:
            self.artifacts.append(LoggedArtifact.of(data))
        elif kind == _ENVIRONMENT:
            self._surround(data)

    @property
    def identity(self) -> tuple[str, str]:
        """The project and the id of the run; the id is empty where no record named it."""
        return self.texts.get("project") or _UNNAMED, self.texts.get("id", "")

    @property
    def start_us(self) -> int:
        """When it began."""
        return self._start_us or self._last_us or 0

    def experiment(self, found: RunFindings) -> str:
        """The name of its experiment."""
        return fit_name(self.identity[0], found, what="the project")

    def checked_config(self, found: RunFindings) -> dict[str, Any]:
        """The configuration; a key that no store takes is left out, and told."""
        return config_of(self.config, found)

    def run(self, source: str, found: RunFindings) -> Run:
        """The run with every fact."""
        project, run_id = self.identity
        status = self._status
        last_us = max(self._last_us or 0, self._stats_us, self.start_us)
        notes = fit_text(self.texts.get("notes", ""))
        if len(notes) > MAX_TEXT_LENGTH:
            found.tell(Told.LEFT_OUT, f"of {len(notes)} characters the first {MAX_TEXT_LENGTH} are kept", key="notes")
        name = self.texts.get("name")
        return Run(
            id=str(uuid.uuid5(_RUNS, f"{project}/{run_id}")),
            experiment_id=experiment_id_of(self.experiment(found)),
            name=fit_name(name, found, what="the run") if name else None,
            status=status,
            training_mode="centralized",
            parent_run_id=None,
            client_id=None,
            attempt=1,
            start_time=from_microseconds(self.start_us),
            end_time=from_microseconds(last_us) if status.is_final else None,
            heartbeat_at=from_microseconds(last_us),
            lease_s=_LEASE_S,
            source_path=None,
            tags=self._all_tags(found),
            provenance=self._provenance(source),
            failure=self._failure,
            note=notes[:MAX_TEXT_LENGTH] or None,
        )

    @property
    def _status(self) -> RunStatus:
        if self._exit_code is None:
            return RunStatus.IN_PROGRESS
        known = {0: RunStatus.COMPLETED, _CTRL_C: RunStatus.INTERRUPTED}
        return known.get(self._exit_code, RunStatus.FAILED)

    @property
    def _failure(self) -> RunFailure | None:
        if self._status is not RunStatus.FAILED:
            return None
        return RunFailure(type="Exit", message=f"W&B kept the exit code {self._exit_code}", traceback="")

    @property
    def _last_us(self) -> int | None:
        for head, text in items_of(self._last_row):
            if key_of(head) == "_timestamp":
                try:
                    return time_us(float(text) * 1000)
                except ValueError:
                    return None
        return None

    def _begin(self, data: bytes) -> None:
        for field, value in fields_of(data):
            if not isinstance(value, bytes):
                continue
            if field in _RUN_TEXTS:
                self.texts[_RUN_TEXTS[field]] = value.decode("utf-8", "backslashreplace")
            elif field == 4:  # noqa: PLR2004 - the configuration, as the format numbers it
                self._configure(value)
            elif field == 10:  # noqa: PLR2004 - a tag
                self._tags.append(value.decode("utf-8", "backslashreplace"))
            elif field == 17 and self._start_us is None:  # noqa: PLR2004 - the start; of several files the first one's
                self._start_us = time_us(timestamp_us(value) / 1000)
            elif field == 21:  # noqa: PLR2004 - the repository
                self._git |= _texts(value, {1: "url", 2: "commit"})

    def _surround(self, data: bytes) -> None:
        self.texts = {**_texts(data, _ENVIRONMENT_TEXTS), **self.texts}
        for field, value in fields_of(data):
            if field == 5 and isinstance(value, bytes):  # noqa: PLR2004 - an argument
                self._arguments.append(fit_text(value.decode("utf-8", "backslashreplace")))
            elif field == 9 and isinstance(value, bytes):  # noqa: PLR2004 - the repository
                self._git |= _texts(value, {1: "url", 2: "commit"})

    def _configure(self, data: bytes) -> None:
        for head, text in items_of(data):
            *above, key = [fit_text(part) for part in path_of(head)] or [""]
            if key == "_wandb" or (above and above[0] == "_wandb"):
                continue
            place = self.config
            for part in above:
                inner = place.setdefault(part, {})
                place = inner if isinstance(inner, dict) else place
            place[key] = _cleaned(json_of(text))
        for head, _ in items_of(data, item=2):
            self.config.pop(key_of(head), None)

    def _all_tags(self, found: RunFindings) -> dict[str, str]:
        tags = {fit_name(tag, found, what="the tag"): "true" for tag in self._tags}
        for key in ("group", "job_type", "sweep"):
            if self.texts.get(key):
                tags[key] = fit_text(self.texts[key])
        return dict(sorted(tags.items()))

    def _provenance(self, source: str) -> dict[str, Any]:
        project, run_id = self.identity
        imported = {"format": FORMAT, "source": source, "id": f"{project}/{run_id}"}
        imported |= {key: fit_text(self.texts[key]) for key in ("entity", "user") if self.texts.get(key)}
        provenance: dict[str, Any] = {"imported": imported}
        host = {
            key: fit_text(self.texts[kept])
            for key, kept in (("name", "host"), ("platform", "platform"))
            if self.texts.get(kept)
        }
        process = {key: fit_text(self.texts[key]) for key in ("program",) if self.texts.get(key)}
        git = {key: redact(fit_text(value)) for key, value in self._git.items() if value}
        if self.texts.get("python"):
            provenance["versions"] = {"python": fit_text(self.texts["python"])}
        parts = {"host": host, "process": process, "git": git}
        return provenance | {key: part for key, part in parts.items() if part}


def _texts(data: bytes, names: dict[int, str]) -> dict[str, str]:
    return {
        names[field]: value.decode("utf-8", "backslashreplace")
        for field, value in fields_of(data)
        if field in names and isinstance(value, bytes)
    }


def _cleaned(value: Any) -> Any:
    """A value of JSON with texts that every database keeps."""
    if isinstance(value, str):
        return fit_text(value)
    if isinstance(value, list):
        return [_cleaned(each) for each in value]
    if isinstance(value, dict):
        return {fit_text(key): _cleaned(each) for key, each in value.items()}
    return value
