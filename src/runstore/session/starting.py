"""The beginning of a run: its store, its birth certificate, and what goes along with it."""

import functools
import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from os import PathLike
from typing import Any, NamedTuple

from runstore._tracebacks import without_frames
from runstore.errors import ConflictError, InvalidValueError, RunNotFoundError, RunStoreError, StoreUnavailableError
from runstore.local.homes import here
from runstore.opening import open_store
from runstore.protocol import RunReader, RunStore
from runstore.provenance import gather_provenance
from runstore.secrets import redact
from runstore.session import cells
from runstore.session.given import check_config, tag_texts
from runstore.session.origins import Origins
from runstore.session.output import Output
from runstore.session.run import ActiveRun
from runstore.session.telling import Teller
from runstore.settings import load_settings, require_url
from runstore.training.going_on import experiment_of, learn_names, read_run
from runstore.training.session import RunSession
from runstore.training.system import SystemMetrics
from runstore.values.checks import check_name, check_number, check_run_id, check_tags, check_text, shown

_PACKAGES = ("runstore", "torch", "tensorflow", "jax", "scikit-learn", "transformers", "numpy", "pandas", "polars")
"""Whose versions stand in the provenance itself, where they can be searched; the list of all is an artifact."""


def start_run(  # noqa: PLR0913 - the run's whole birth certificate, keyword-only
    experiment: str | None = None,
    *,
    config: Any = None,
    tags: Mapping[str, Any] | None = None,
    name: str | None = None,
    note: str | None = None,
    run_id: str | None = None,
    resume: str | bool = False,
    parent: "ActiveRun | str | None" = None,
    store: str | RunStore | None = None,
    durable: bool = True,
    artifacts: str | None = None,
    seed: int | None = None,
    training_mode: str = "centralized",
    client_id: str | None = None,
    source_path: str | None = None,
    system_metrics_s: float | None = None,
    capture_output: bool = False,
    git_changes: bool = True,
    packages: bool = True,
    console: bool | None = None,
) -> ActiveRun:
    """Begins a run, and gives it to log to.

    ::

        with runstore.start_run("ct-seg", config={"lr": 1e-3}, tags={"owner": "me"}) as run:
            for step in range(1000):
                run.log({"train/loss": loss, "val/auroc": auroc}, step=step)
            run.log_artifact("roc.png")

    The block's end is the run's, see :class:`ActiveRun`. Where the run comes from is kept with it: host, command line,
    versions, git commit; as artifacts under ``provenance/`` the uncommitted changes (256 KiB at most, secrets hidden) and
    the list of installed packages. A line on standard error says where the run is when it begins and when it ends.

    In a notebook a cell that is run again ends the run that it began before.

    Args:
        experiment: the experiment's name; it is made if need be. Not needed for a run that exists, and a child is of its
            parent's.
        config: settings of any kind, as for :meth:`ActiveRun.log_config`.
        tags: short texts by key; numbers and truth values become texts.
        name: a label for people; a run that exists is renamed.
        note: a text about the run.
        run_id: the id for a new run, or an existing run to write to. One that has ended stays ended, unless ``resume``.
        resume: ``True`` opens the run ``run_id`` again if it has ended, as its next attempt. A text names the run to go
            on with, by its id, a part of it, its name or ``"@1"`` for the newest.
        parent: the run above this one, or its id. A child of an :class:`ActiveRun` is written to the same store.
        store: the store's URL, or an open store, which stays the caller's. By default the URL is looked for as
            :func:`runstore.open_store` does: in ``RUNSTORE_URL``, ``runstore.toml``, ``pyproject.toml``.
        durable: as for :func:`runstore.open_store`: every call is kept on local disk first.
        artifacts: where artifact bytes go, as for :func:`runstore.open_store`.
        seed: the seed of the run's random numbers, for its provenance.
        training_mode: ``"centralized"``, ``"federated"`` or another word.
        client_id: which member of a federation this run belongs to.
        source_path: where the data came from.
        system_metrics_s: seconds between readings of processor, memory, disk and GPUs (needs psutil, and nvidia-ml-py
            for GPUs); ``None`` for none. The series are called ``system/...``.
        capture_output: whether what Python prints is kept as an artifact under ``output/`` when the run ends.
        git_changes: whether uncommitted changes of tracked files are kept.
        packages: whether the list of installed packages is kept.
        console: whether the two lines are written; by default the setting ``console``, which is on.

    Raises:
        InvalidValueError: (a ``ValueError``) an argument is not allowed, or no experiment is named.
        SettingsError: no store was named, or its URL cannot be understood.
        RunStoreError: what else a person must mend before training: a wrong password, an unknown parent, a missing driver.
            A database that is away is none of it: what is logged waits on disk.
    """
    cells.end_earlier(depth=1)
    texts = check_tags(tag_texts(tags or {}))
    _check_note(note)
    check_config(config)
    every_s = _checked_interval(system_metrics_s)
    named = _named_run(resume, run_id)
    place = _place_of(store, parent, durable=durable, artifacts=artifacts)
    session = RunSession(
        place.store,
        experiment=_experiment_of(experiment, parent, is_needed=named is None),
        run_id=named,
        tags=texts,
        provenance=gather_provenance(packages=_PACKAGES, seed=seed),
        training_mode=training_mode,
        parent_run_id=parent.id if isinstance(parent, ActiveRun) else parent,
        client_id=client_id,
        name=name,
        source_path=source_path,
    )
    _begin(session, resume, names_experiment=experiment is not None)
    if named is not None:
        learn_names(session, session.maker)
    is_loud = load_settings().console if console is None else bool(console)
    run = ActiveRun(
        session,
        name=name,
        url=place.url,
        owns_store=place.is_ours,
        may_exist=named is not None,
        teller=Teller(speaks=is_loud, names_store=place.is_named),
        start_run=start_run,
    )
    if config is not None:
        run.log_config(config)
    if named is not None and texts:
        run.add_tags(texts)  # a run that exists keeps those of its birth
    if named is not None and name is not None:
        run.rename(name)
    if note is not None:
        run.set_note(note)
    if git_changes or packages:
        folder = "provenance" if named is None else f"provenance/{_stamp()}"
        run.accompany(Origins(session, folder=folder, changes=git_changes, packages=packages))
    if every_s is not None:
        run.accompany(SystemMetrics(session, every_s=every_s, directory=str(here() or "/")))
    if capture_output:
        output = f"output/{_stamp()}.log"
        run.accompany(Output(lambda file: session.log_artifact(file, name=output, artifact_type="log")))
    if isinstance(parent, ActiveRun):
        parent.adopt(run)
    run.begin()
    cells.note(run, depth=1)
    return run


def _check_note(note: object) -> None:
    if note is not None:
        check_text(note, "note")


def _named_run(resume: object, run_id: str | None) -> str | None:
    """The run that the program names, by its id or otherwise; ``None`` for a new one under a new id."""
    if isinstance(resume, str):
        if run_id is not None:
            raise InvalidValueError(
                f"resume={resume!r} and run_id={run_id!r} both name a run; give resume=True, or no run_id"
            )
        return check_run_id(resume, "resume")
    if resume and run_id is None:
        raise InvalidValueError("resume is True, and no run is named; give run_id, or resume='@1' for the newest run")
    return None if run_id is None else check_run_id(run_id)


def _begin(session: RunSession, resume: str | bool, *, names_experiment: bool) -> None:  # noqa: FBT001 - what start_run was given
    try:
        _make_begun(session, resume, names_experiment=names_experiment)
    except RunStoreError as error:
        raise without_frames(error)  # noqa: B904 - it is the same error


def _make_begun(session: RunSession, resume: str | bool, *, names_experiment: bool) -> None:  # noqa: FBT001 - as above
    """Begins the run, or closes what was opened for it.

    Where the program names no experiment, the one of the parent is for a new run: one that exists stays in its own.
    """
    try:
        if isinstance(resume, str):
            session.run_id = _resolved(session.store, resume)
        if names_experiment or session.experiment is None:
            session.begin(resume=bool(resume))
        else:
            _begin_below(session, resume=bool(resume))
    except InvalidValueError as error:
        is_unknown = session.experiment is None and _is_unknown(session)
        session.close()
        if not is_unknown:
            raise
        raise InvalidValueError(
            f"there is no run {session.run_id!r} yet, and no experiment is named in which to begin it; "
            f"do: start_run('my-experiment', run_id={session.run_id!r})"
        ) from error
    except ConflictError as error:
        found = read_run(session, session.run_id)
        other = None if found is None else experiment_of(session, found)
        session.close()
        if other in {None, session.experiment}:
            raise
        raise ConflictError(
            f"run {session.run_id!r} is of the experiment {other!r}, not of {session.experiment!r}; "
            "name that one, or choose another run_id"
        ) from error
    except BaseException:
        session.close()
        raise


def _begin_below(session: RunSession, *, resume: bool) -> None:
    """Begins a child in its parent's experiment, unless it exists in another one."""
    try:
        session.begin(resume=resume)
    except ConflictError:
        found = read_run(session, session.run_id)
        session.experiment = None if found is None else experiment_of(session, found)
        session.begin(resume=resume)


def _is_unknown(session: RunSession) -> bool:
    """Whether the store has no such run, as far as it can be asked."""
    store = session.store
    try:
        if isinstance(store, RunReader):
            store.get_run(session.run_id)
    except RunNotFoundError:
        return True
    except RunStoreError:
        return False
    return False


class _Place(NamedTuple):
    """Where a run is stored.

    Attributes:
        store: an open store, or what opens it.
        url: its URL without secrets; ``None`` for an open store of the program's.
        is_ours: whether it is closed with the run.
        is_named: whether the program has named the URL, which no setting need have.
    """

    store: RunStore | Callable[[], RunStore]
    url: str | None
    is_ours: bool
    is_named: bool


def _place_of(store: object, parent: object, *, durable: bool, artifacts: str | None) -> _Place:
    if store is None and isinstance(parent, ActiveRun):
        if parent.status.is_final:
            raise InvalidValueError(
                f"the parent run {parent.id!r} has ended, and its store is closed; "
                "give parent=run.id and store=... to begin a run below it all the same"
            )
        return _Place(parent.store, parent.url, is_ours=False, is_named=parent.is_store_named)
    if store is not None and not isinstance(store, (str, PathLike)):
        if not isinstance(store, RunStore):
            raise InvalidValueError(
                f"store is {shown(store)} of type {type(store).__name__}; give a URL such as 'sqlite:///runs.db', or an open store"
            )
        return _Place(store, None, is_ours=False, is_named=False)
    url = require_url(load_settings(url=store, artifacts=artifacts))  # type: ignore[arg-type]  # a path is refused in words
    opener = functools.partial(open_store, url, durable=durable, artifacts=artifacts)
    return _Place(opener, redact(url), is_ours=True, is_named=store is not None)


def _experiment_of(experiment: object, parent: object, *, is_needed: bool) -> str | None:
    if experiment is not None:
        return check_name(experiment, "experiment")
    if isinstance(parent, ActiveRun):
        return parent.experiment
    if is_needed:
        raise InvalidValueError("no experiment is named; do: start_run('my-experiment')")
    return None


def _checked_interval(seconds: object) -> float | None:
    if seconds is None:
        return None
    every_s = check_number(seconds, "system_metrics_s")
    if not 0 < every_s < math.inf:
        raise InvalidValueError(
            f"system_metrics_s is {every_s}; give a positive number of seconds, or None for no readings"
        )
    return every_s


def _resolved(store: RunStore, reference: str) -> str:
    """The id of the run that somebody means; the reference itself where the store cannot be asked now.

    Raises:
        RunNotFoundError: there is no such run.
        InvalidValueError: there are several.
    """
    try:
        return store.resolve_run(reference) if isinstance(store, RunReader) else reference
    except StoreUnavailableError:
        return reference


def _stamp() -> str:
    """This moment as part of a name, for what each attempt of a run keeps of its own."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H-%M-%S.%f")[:-3]
