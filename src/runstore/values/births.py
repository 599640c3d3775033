"""The arguments of ``ensure_run``, checked."""

from typing import NamedTuple

from runstore.errors import ConflictError, InvalidValueError
from runstore.values.checks import (
    check_name,
    check_optional_name,
    check_optional_text,
    check_run_id,
    check_tags,
    check_time,
    check_word,
)


class Birth(NamedTuple):
    """The checked arguments of ``ensure_run``, but for the provenance."""

    experiment_id: str | None
    run_id: str | None
    training_mode: str
    parent_run_id: str | None
    client_id: str | None
    name: str | None
    source_path: str | None
    tags: dict[str, str]
    start_us: int | None


def check_birth(  # noqa: PLR0913 - the arguments of ensure_run, keyword-only
    *,
    experiment_id: object,
    run_id: object,
    training_mode: object,
    parent_run_id: object,
    client_id: object,
    name: object,
    source_path: object,
    tags: object,
    start_time: object,
) -> Birth:
    """The arguments of ``ensure_run`` in canonical form; what is missing is told by :func:`require_experiment`."""
    return Birth(
        experiment_id=None if experiment_id is None else check_name(experiment_id, "experiment_id"),
        run_id=None if run_id is None else check_run_id(run_id),
        training_mode=check_word(training_mode, "training_mode"),
        parent_run_id=None if parent_run_id is None else check_run_id(parent_run_id, "parent_run_id"),
        client_id=check_optional_name(client_id, "client_id"),
        name=check_optional_name(name, "name"),
        source_path=check_optional_text(source_path, "source_path"),
        tags=check_tags(tags),
        start_us=None if start_time is None else check_time(start_time, "start_time"),
    )


def require_experiment(birth: Birth) -> str:
    """The experiment's id of a run that must now be created (RUN.4)."""
    if birth.experiment_id is None:
        asked = "a new run" if birth.run_id is None else f"run {birth.run_id!r}, which does not exist yet"
        raise InvalidValueError(
            f"experiment_id is missing and is needed to create {asked}; "
            "pass experiment_id=store.get_or_create_experiment(name)"
        )
    return birth.experiment_id


def check_same_experiment(birth: Birth, stored_experiment_id: str) -> None:
    """Refuses an existing run that was asked for under another experiment (RUN.5)."""
    if birth.experiment_id not in {None, stored_experiment_id}:
        raise ConflictError(
            f"run {birth.run_id!r} was asked for under experiment {birth.experiment_id!r} but belongs to "
            f"{stored_experiment_id!r}; leave experiment_id out or choose another run_id"
        )
