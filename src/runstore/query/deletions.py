"""What a page of deleted runs was asked for, checked once for every backend (CHG.12)."""

from collections.abc import Iterable
from typing import Final

import msgspec

from runstore.errors import QueryError
from runstore.model import DeletedRun, to_microseconds
from runstore.query.searches import decode_cursor, encode_cursor, no_cursor
from runstore.values.checks import check_limit, check_name, check_run_id

_PLACE: Final = msgspec.json.Decoder(tuple[int, str])
_LEAST: Final = -(2**63)
_MOST: Final = 2**63 - 1


class DeletedQuery(msgspec.Struct, frozen=True, kw_only=True):
    """A checked question for deleted runs that can be restored, those deleted last first, ties by id.

    Attributes:
        experiment_id: only runs of this experiment.
        limit: the most runs of the answer.
        after: when the run was deleted that the answer begins strictly behind, in microseconds, and its id.
    """

    experiment_id: str | None = None
    limit: int
    after: tuple[int, str] | None = None

    def cursor_after(self, last: DeletedRun) -> str:
        """The cursor of a page that ends with this run."""
        place = to_microseconds(last.deleted_at), last.id
        return encode_cursor(_key(self.experiment_id), msgspec.json.encode(place))


def check_deleted(*, experiment_id: object, limit: object, cursor: object) -> DeletedQuery:
    """The question of :meth:`runstore.protocol.RunReader.list_deleted`.

    Raises:
        QueryError: the cursor does not belong to this list.
        InvalidValueError: the experiment's id or the limit.
    """
    wanted = None if experiment_id is None else check_name(experiment_id, "experiment_id")
    return DeletedQuery(experiment_id=wanted, limit=check_limit(limit), after=_after(cursor, wanted))


def pick_deleted(runs: Iterable[DeletedRun], asked: DeletedQuery) -> list[DeletedRun]:
    """What a backend's ``read_deleted`` returns, out of all its deleted runs; for one that cannot sort them itself."""

    def place(run: DeletedRun) -> tuple[int, str]:
        return -to_microseconds(run.deleted_at), run.id

    after = None if asked.after is None else (-asked.after[0], asked.after[1])
    found = [
        run
        for run in runs
        if asked.experiment_id in {None, run.experiment_id} and (after is None or place(run) > after)
    ]
    return sorted(found, key=place)[: asked.limit]


def _after(cursor: object, experiment_id: str | None) -> tuple[int, str] | None:
    if cursor is None:
        return None
    try:
        deleted_us, run_id = _PLACE.decode(decode_cursor(_key(experiment_id), cursor))
        if _LEAST <= deleted_us <= _MOST:
            return deleted_us, check_run_id(run_id)
    except QueryError:
        raise
    except (msgspec.DecodeError, ValueError):
        pass
    raise no_cursor(cursor)


def _key(experiment_id: str | None) -> str:
    return repr(("deleted", experiment_id))
