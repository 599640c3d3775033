"""Ids are made here, by the client: a run can begin while the database is away."""

import uuid

import uuid_utils

_EXPERIMENTS = uuid.UUID("6f1f0d9a-6e4b-5c55-9a25-9f2f4b1c7d10")
"""Namespace of experiment ids. It must never change: the same name must give the same id for ever (EXP.1)."""


def experiment_id_of(name: str) -> str:
    """The id of the experiment of this name: UUID version 5 (RFC 9562) of the exact text."""
    return str(uuid.uuid5(_EXPERIMENTS, name))


def new_run_id() -> str:
    """A new run id: UUID version 7 (RFC 9562), so that ids sort by the time they were made."""
    return str(uuid_utils.uuid7())
