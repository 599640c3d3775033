"""Which run a training goes on with: that of its checkpoint, where this store has it, or its own."""

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress

from runstore.errors import RunStoreError
from runstore.lightning.resuming import Origin, close_attempt, read_run
from runstore.protocol import RunReader
from runstore.training.session import RunSession

_log = logging.getLogger(__name__)


def choose_run(
    origins: Sequence[Origin],
    *,
    session: RunSession,
    store_name: str | None,
    reason_to_keep: Callable[[Origin], str | None],
    checkpoint: str,
) -> Origin | None:
    """The run to continue; ``None`` to keep the session's, which is then linked to the one that wrote the checkpoint.

    Whether the checkpoint's run is of this store, the store itself is asked. Where it cannot answer now, or does not
    know the run (which may still wait in a journal), the stores' URLs decide.

    Args:
        origins: what the checkpoint tells.
        session: the run that has not begun yet.
        store_name: the store's URL without secrets.
        reason_to_keep: why an origin is not to be continued; ``None`` where nothing speaks against it.
        checkpoint: the checkpoint's path, for messages.

    Raises:
        RunStoreError: the store cannot be opened, and trying again cannot mend it.
    """
    origin = next((origin for origin in origins if origin.store == store_name), origins[0])
    reason = reason_to_keep(origin)
    if reason is None:
        found = read_run(session, origin.run_id)
        if found is not None:
            close_attempt(session, found)
            warn_of_what_is_abandoned(session, origin)
            return origin
        if store_name is not None and store_name == origin.store:
            return origin
        reason = f"it is not in this store ({store_name}) but in another ({origin.store})"
    session.tags["from_run"] = origin.run_id
    session.provenance["from_checkpoint"] = origin.as_dict() | {"path": checkpoint}
    _log.warning(
        "the checkpoint %s was written by run %s, which is not continued: %s; run %s has its id in the tag from_run",
        checkpoint,
        origin.run_id,
        reason,
        session.run_id,
    )
    return None


def warn_of_overlap(session: RunSession, run_id: str) -> None:
    """Says that a training begins anew in a run that has points already, where it does."""
    last = _last_step(session, run_id)
    if last is not None:
        _log.warning(
            "run %s has points up to step %d already; this fit begins at step 0 and writes over them as it comes to their "
            'steps. Use a new logger, or another run_id, or prefix="again", or go on with fit(ckpt_path=...)',
            run_id,
            last,
        )


def warn_of_what_is_abandoned(session: RunSession, origin: Origin) -> None:
    """Says how far the points reach that lie behind the step from which training goes on, where there are some."""
    last = _last_step(session, origin.run_id)
    if last is not None and last > origin.step:
        _log.warning(
            "run %s goes on from step %d and has points up to step %d, of an attempt that ends here; they are written over "
            "as training comes to their steps, and what it does not come to stays",
            origin.run_id,
            origin.step,
            last,
        )


def _last_step(session: RunSession, run_id: str) -> int | None:
    """The highest step of a run's points, but for readings of the machine, whose steps are seconds."""
    with suppress(RunStoreError):
        store = session.store
        if isinstance(store, RunReader):
            summaries = store.get_summaries(run_id)
            return max((s.last.step for s in summaries if not s.name.startswith("system/")), default=None)
    return None
