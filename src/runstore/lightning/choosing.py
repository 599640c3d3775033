"""Which run a training goes on with: that of its checkpoint, where this store has it, or its own."""

import logging
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

from runstore.errors import RunStoreError
from runstore.lightning.resuming import Origin
from runstore.lightning.stages import RunOverStages
from runstore.protocol import RunReader
from runstore.training.going_on import close_attempt, read_run
from runstore.training.session import RunSession

_log = logging.getLogger(__name__)


class Own(NamedTuple):
    """The run that a logger has already.

    Attributes:
        run_id: its id.
        id_was_given: whether the program has named it.
        experiment: the name of its experiment; ``None`` where the program names none.
        store_name: its store's URL without secrets; ``None`` where the program has given an open store.
    """

    run_id: str
    id_was_given: bool
    experiment: str | None
    store_name: str | None


def choose_run(
    origins: Sequence[Origin], run: RunOverStages, *, own: Own, stage: str, checkpoint: str
) -> Origin | None:  # fmt: skip
    """The run to go on with; ``None`` to begin the logger's own, which is then linked to the one of the checkpoint.

    Whether the checkpoint's run is of this store, the store itself is asked. Where it cannot answer now, or does not
    know the run (which may still wait in a journal), the stores' URLs decide.

    Args:
        origins: what the checkpoint tells.
        run: the logger's own, which may still have to begin.
        own: what is known of it.
        stage: ``fit``, ``validate``, ``test`` or ``predict``.
        checkpoint: the checkpoint's path, for messages.

    Raises:
        RunStoreError: the store cannot be opened, and trying again cannot mend it.
    """
    session = run.session
    same = next((origin for origin in origins if origin.run_id == own.run_id), None)
    if same is not None and stage == "fit":
        warn_of_what_is_abandoned(session, same)
    if same is not None or run.has_begun:
        return same
    origin = next((origin for origin in origins if origin.store == own.store_name), origins[0])
    reason = _reason_to_keep(own, origin, stage)
    if reason is None:
        found = read_run(session, origin.run_id)
        if found is not None:
            close_attempt(session, found)
            warn_of_what_is_abandoned(session, origin)
            return origin
        if own.store_name is not None and own.store_name == origin.store:
            return origin
        reason = f"it is not in this store ({own.store_name}) but in another ({origin.store})"
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


def _reason_to_keep(own: Own, origin: Origin, stage: str) -> str | None:
    """Why the checkpoint's run is not to be continued; ``None`` where nothing speaks against it."""
    if own.id_was_given:
        return f"run_id={own.run_id!r} was given"
    if stage != "fit":
        return "only fit continues a run"
    if own.experiment not in {None, origin.experiment}:
        return f"it is of the experiment {origin.experiment!r}, not {own.experiment!r}"
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
