"""What every format makes of the same facts: a run, its series, its configuration."""

import hashlib
import os
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from runstore.errors import InvalidValueError
from runstore.importing.folding import fit_name, fit_text
from runstore.importing.report import RunFindings, Told
from runstore.model import Run, RunFailure, RunStatus, from_microseconds
from runstore.series import Series
from runstore.training import MetricNames
from runstore.values import ConfigDocument, experiment_id_of

_LEASE_S: Final = 86_400.0
_MOST_US: Final = 253_402_300_799_999_999
_LEAST_US: Final = -62_135_596_800_000_000


class Origin(Struct, frozen=True, kw_only=True):
    """Where a run comes from.

    Attributes:
        namespace: of the ids of runs of this format. It must never change: a second import must find what the first made.
        format: its word.
        source: the folder, file or URL, without secrets.
        id: the run's, in the source.
    """

    namespace: uuid.UUID
    format: str
    source: str
    id: str

    @property
    def run_id(self) -> str:
        """The id of the run here."""
        # As uuid5 does it, and of names of folders that are no Unicode as well.
        digest = hashlib.sha1(
            self.namespace.bytes + self.id.encode(errors="surrogateescape"), usedforsecurity=False
        ).digest()
        return str(uuid.UUID(bytes=digest[:16], version=5))


def run_of(  # noqa: PLR0913 - each is a fact of its own
    origin: Origin,
    found: RunFindings,
    *,
    experiment: str,
    name: str | None,
    status: RunStatus,
    start_us: int,
    last_us: int,
    tags: Mapping[str, str] | None = None,
    provenance: Mapping[str, Any] | None = None,
    failure: RunFailure | None = None,
) -> Run:
    """The run with every fact.

    Args:
        origin: where it comes from.
        found: what is told of it.
        experiment: the name, as every store takes it.
        name: as the source has it.
        status: how it stands.
        start_us: when it began.
        last_us: the last sign of it, which is the end of a run that has ended.
        tags: as every store takes them.
        provenance: more of where it comes from.
        failure: why it failed.
    """
    last_us = max(start_us, last_us)
    imported = {"format": origin.format, "source": fit_text(origin.source), "id": fit_text(origin.id)}
    return Run(
        id=origin.run_id,
        experiment_id=experiment_id_of(experiment),
        name=fit_name(name, found, what="the run") if name else None,
        status=status,
        training_mode="centralized",
        parent_run_id=None,
        client_id=None,
        attempt=1,
        start_time=from_microseconds(start_us),
        end_time=from_microseconds(last_us) if status.is_final else None,
        heartbeat_at=from_microseconds(last_us),
        lease_s=_LEASE_S,
        source_path=None,
        tags=dict(sorted((tags or {}).items())),
        provenance={"imported": imported, **(provenance or {})},
        failure=failure,
    )


def names_of(folder: Path, place: Path) -> tuple[str, str]:
    """The experiment and the run of a folder with a run, below the folder that was given, or in it, or that file's."""
    absolute = Path(os.path.abspath(folder))  # noqa: PTH100 - what a link leads to may be called otherwise
    if absolute == place or place.is_file():
        return absolute.parent.name or "imported", absolute.name or "run"
    return place.name or "imported", absolute.relative_to(place).as_posix()


def series_of(keys: Iterable[str], found: RunFindings) -> dict[str, Series]:
    """The series of each metric of a run, the same ones each time."""
    names = MetricNames()
    series = {}
    for key in sorted(keys):
        name = names[fit_name(key, found, what="the metric")]
        series[key] = (name.name, str(name.dataset_type))
    return series


def config_of(settings: Mapping[str, Any], found: RunFindings) -> dict[str, Any]:
    """The configuration; a setting that no store takes is left out, and told."""
    config: dict[str, Any] = {}
    for key, value in sorted(settings.items()):
        name, kept = fit_text(key), cleaned(value)
        try:
            ConfigDocument.checked({name: kept})
        except InvalidValueError as error:
            found.tell(Told.LEFT_OUT, f"the setting is left out: {error}", key=key)
        else:
            config[name] = kept
    return config


def cleaned(value: Any) -> Any:
    """A value with texts that every database keeps."""
    if isinstance(value, str):
        return fit_text(value)
    if isinstance(value, list):
        return [cleaned(each) for each in value]
    if isinstance(value, dict):
        return {fit_text(str(key)): cleaned(each) for key, each in value.items()}
    return value


def seconds_us(seconds: float) -> int | None:
    """Microseconds of a time in seconds; ``None`` for what is none of the years 1 to 9999."""
    try:
        microseconds = round(seconds * 1_000_000)
    except (ValueError, OverflowError):  # NaN and infinities
        return None
    return microseconds if _LEAST_US <= microseconds <= _MOST_US else None
