"""The steps that make a schema and bring it up to date, in their order, and the note of the last one that was taken.

The lock and the transaction around them are the caller's. Each step leaves what is there already: a MySQL server, which
has no transaction around changes of a schema, keeps what an interrupted attempt has made.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import sqlalchemy as sa

from runstore_sql.migrations import r0001_first, r0002_second
from runstore_sql.schema.tables import VERSION_TABLE

_log = logging.getLogger(__name__)


class Step(NamedTuple):
    """From one schema to the next.

    Attributes:
        version: the schema that it makes.
        does: what it does, for people.
        take: does it.
    """

    version: int
    does: str
    take: Callable[[sa.Connection], None]

    @property
    def name(self) -> str:
        """What it is noted by."""
        return f"{self.version:04}"

    def __str__(self) -> str:
        """The step as people are told of it."""
        return f"{self.name}: {self.does}"


STEPS: Final = (
    Step(
        version=1,
        does="The first schema: base tables, their keys and indexes, and the five views that people read.",
        take=r0001_first.make,
    ),
    Step(
        version=2,
        does="The second schema: runs that can be noted, archived and deleted; roll-ups of their points.",
        take=r0002_second.add,
    ),
)

_taken = sa.Table(
    VERSION_TABLE,
    sa.MetaData(),
    sa.Column("version_num", sa.String(32), nullable=False),
    sa.PrimaryKeyConstraint("version_num", name=f"{VERSION_TABLE}_pkc"),
)
"""One row: the name of the last step. Releases before this one look for it just so."""


def steps_after(version: int) -> Sequence[Step]:
    """The steps that bring a schema up to date; all of them for an empty database, whose version is 0."""
    return [step for step in STEPS if step.version > version]


def last_taken(connection: sa.Connection) -> str | None:
    """The name of the last step that was taken, which may be one of a newer release; ``None`` before the first."""
    _taken.create(connection, checkfirst=True)
    return max(connection.execute(sa.select(_taken.c.version_num)).scalars(), default=None)


def take_after(last: str | None, connection: sa.Connection) -> None:
    """Takes the steps after the last one, and notes each."""
    for step in STEPS:
        if last is None or step.name > last:
            _log.debug("schema step %s", step)
            step.take(connection)
            _note(connection, step.name, last=last)
            last = step.name


def _note(connection: sa.Connection, name: str, *, last: str | None) -> None:
    noting = _taken.insert() if last is None else _taken.update().where(_taken.c.version_num == last)
    connection.execute(noting.values(version_num=name))
