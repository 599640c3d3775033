"""The run that a program leads: what it logs, what it keeps, and how it ends."""

import itertools
import logging
import os
import sys
import time
from collections.abc import Callable, Mapping
from os import PathLike
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Protocol, Self

from runstore import media
from runstore.backend.begun import cause_of
from runstore.model import Artifact, RunFailure, RunStatus
from runstore.protocol import RunEditor, RunStore
from runstore.session import cells, signals
from runstore.session.given import check_config, reason_of, status_of, tag_texts
from runstore.session.steps import Steps
from runstore.session.telling import Teller, html_of
from runstore.training.ending import close_when_dropped, expect_end, note_end
from runstore.training.hparams import config_of
from runstore.training.media import LogsMedia
from runstore.training.session import RunSession
from runstore.values.checks import check_tags, check_terminal_status, check_text

_log = logging.getLogger("runstore.session")

_TERMINATED = RunFailure(type="Terminated", message="the process was told to end (SIGTERM)", traceback="")

_OF_A_CHILD: Final = {"console": False, "git_changes": False, "packages": False}


class Companion(Protocol):
    """What goes along with a run and ends with it: readings of the machine, what the program prints."""

    def stop(self, *, is_hurried: bool) -> None:
        """Ends it, within a bound; hurried, without a wait."""
        ...


_LOG, _LOG_CONFIG, _FINISH = "run.log({'loss': 0.5})", "run.log_config({'lr': 0.001})", "run.finish()"
_MEANT: Final = {
    "close": _FINISH,
    "end": _FINISH,
    "end_run": _FINISH,
    "log_hparams": _LOG_CONFIG,
    "log_hyperparams": _LOG_CONFIG,
    "log_metric": _LOG,
    "log_metrics": _LOG,
    "log_param": _LOG_CONFIG,
    "log_params": _LOG_CONFIG,
    "save": "run.log_artifact('model.pt')",
    "stop": _FINISH,
    "track": _LOG,
}
"""What a run's verbs are called in other trackers."""


class ActiveRun(LogsMedia):
    """A run that is under way, as :func:`runstore.start_run` gives it.

    ``with`` (or ``async with``) ends it by what leaves the block: ``completed``; ``failed`` with the exception and its
    traceback; ``interrupted`` for Ctrl-C, a polite ``SystemExit``, a cancelled task, and SIGTERM. Without ``with``,
    :meth:`finish` ends it, or else the end of the process, in the same way.

    Once it has begun, no method raises because of the store, however long that is away: see
    :class:`runstore.training.RunSession`. An argument of the wrong kind raises at once. Every method may be called from
    any thread and any task; :meth:`log` never waits for the database. A copy in another process (a fork, a pickle) writes
    to the same run, names the step of each :meth:`log`, and does not end it.

    Attributes:
        id: the run's id.
        experiment: the experiment's name; ``None`` where only an existing run was named.
        name: the run's label, if it has one.
        url: where it is stored, without secrets; ``None`` where the program gave an open store.
    """

    def __init__(  # noqa: PLR0913 - made by start_run alone
        self,
        session: RunSession,
        *,
        name: str | None,
        url: str | None,
        owns_store: bool,
        may_exist: bool,
        teller: Teller,
        start_run: "Callable[..., ActiveRun]",
    ) -> None:
        """A run that has begun; :func:`runstore.start_run` makes it."""
        self.id: str = session.run_id
        self.experiment: str | None = session.experiment
        self.name: str | None = name
        self.url: str | None = url
        self._session = session
        self._owns_store = owns_store
        self._teller = teller
        self._start_run = start_run
        self._maker = session.maker
        self._steps = Steps(session, may_exist=may_exist)
        self._children: list[ActiveRun] = []
        self._companions: list[Companion] = []
        self._status: RunStatus | None = None
        self._ends = itertools.count()  # whoever draws 0 ends the run
        self._began_at = time.monotonic()
        self._pid = os.getpid()
        self._told_late = False
        self._was_logged_to = False

    # What is logged

    if not TYPE_CHECKING:  # to a type checker every name would be there

        def __getattr__(self, name: str) -> Any:
            """What other trackers call a verb is answered with ours."""
            message = f"{type(self).__name__!r} object has no attribute {name!r}"
            if name in _MEANT:
                raise AttributeError(f"{message}; use {_MEANT[name]}")
            raise AttributeError(message, name=name, obj=self)  # for Python's own suggestion

    def log(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        """Logs numbers at a step: ``run.log({"train/loss": 0.5, "val/auroc": 0.9}, step=3)``.

        Args:
            metrics: numbers by name: of Python, numpy, torch and the like, also an array or a tensor of one element;
                ``True`` is 1. ``train/``, ``val/`` and ``test/`` before a name say on which part of the data it was
                computed, and so do ``train_``, ``val.``, ``validation-`` and the like; :mod:`runstore.training.naming` has
                the rule. A mapping in a mapping names its numbers with a
                slash between. What is no number is left out and told once.
            step: a whole number from 0 to 2**63 - 1. A number logged again at a step replaces the one before. Without it the call gets the
                step after the highest one so far, so that each call makes a step of its own. At a step out of that range
                nothing is stored, which is told once.

        Raises:
            InvalidValueError: this is no mapping, the step is no whole number, or a copy of the run is given no step.
        """
        self._was_logged_to = True
        if self._status is not None and self._is_over("log"):
            return
        if isinstance(metrics, str):  # log("loss", 0.5): that the step is no whole number is not what is wrong
            self._maker.points(metrics, 0)
        at = self._steps.given(step) if step is not None else self._steps.next() if metrics else 0
        points = self._maker.points(metrics, at)
        if points:
            self._session.log_metrics(points)

    def log_config(self, config: Any) -> None:
        """Merges settings into the run's config: a mapping, a namespace, a dataclass, a pydantic model, an OmegaConf node.

        Paths, enums, arrays, classes and functions in it are kept in words; see :mod:`runstore.training.hparams`.

        Raises:
            InvalidValueError: a text, a number or a list, which has no named settings.
        """
        check_config(config)
        if not self._is_over("log_config"):
            self._session.log_config(config_of(config))

    def log_artifact(
        self,
        path: str | PathLike[str],
        name: str | None = None,
        *,
        artifact_type: str = "file",
        copy: bool = True,
        metadata: Mapping[str, Any] | None = None,
    ) -> Artifact | None:
        """Keeps a file, or a folder file by file; its record, or ``None`` where it was not stored.

        The file may change or vanish once this has returned.

        Args:
            path: the file or the folder.
            name: a relative path such as ``plots/roc.png``; the file's own name by default.
            artifact_type: a word for its kind.
            copy: whether its bytes are kept; ``False`` keeps where it lies alone.
            metadata: nested and typed like a config.

        Raises:
            InvalidValueError: the path is no text and no path.
        """
        if self._is_over("log_artifact"):
            return None
        return self._session.log_artifact(path, name=name, artifact_type=artifact_type, copy=copy, metadata=metadata)

    def log_media(self, made: media.Media) -> Artifact | None:
        """Keeps what one of the functions of :mod:`runstore.media` has made; its record, or ``None`` if it is not kept."""
        return None if self._is_over(f"log_{made.kind}") else self._session.log_media(made)

    # What is changed

    def set_note(self, note: str | None) -> None:
        """Puts a text with the run, in place of the one before; ``None`` takes it away.

        Raises:
            InvalidValueError: the note is no text.
        """
        if note is not None:
            check_text(note, "note", max_length=None)
        self._edit("set_note", lambda editor: editor.set_note(self.id, note))

    def add_tags(self, tags: Mapping[str, Any]) -> None:
        """Lays short texts by key over those that the run has. Numbers, ``True`` and ``False`` are kept as texts.

        Raises:
            InvalidValueError: this is no mapping of texts.
        """
        texts = check_tags(tag_texts(tags))
        self._edit("set_tags", lambda editor: editor.set_tags(self.id, texts))

    def rename(self, name: str | None) -> None:
        """Gives the run another name, or none.

        Raises:
            InvalidValueError: the name is no text.
        """
        if name is not None:
            check_text(name, "name", max_length=None)
        if self._edit("rename_run", lambda editor: editor.rename_run(self.id, name)):
            self.name = name

    # What belongs to it

    def child(self, name: str | None = None, *, experiment: str | None = None, **options: Any) -> "ActiveRun":
        """Begins a run below this one, in the same store: a fold, a trial, a client.

        It takes what :func:`runstore.start_run` takes, and ends when it is finished, or with this one. Unless it is asked
        for, it is silent and keeps neither uncommitted changes nor the list of packages, which this run has.

        Args:
            name: a label for people, such as ``"fold 1"``.
            experiment: the experiment's name; this run's own by default. A run that exists stays in its own.
            options: as for :func:`runstore.start_run`.
        """
        return self._start_run(experiment, parent=self, name=name, **(_OF_A_CHILD | options))

    @property
    def store(self) -> RunStore:
        """The store that the run is written to."""
        return self._session.store

    @property
    def status(self) -> RunStatus:
        """``in_progress``, or how it was ended here."""
        return self._status or RunStatus.IN_PROGRESS

    @property
    def failures(self) -> int:
        """How many calls the store did not take, or not whole; their points are in :attr:`points_not_stored`."""
        return self._session.failures

    @property
    def points_not_stored(self) -> int:
        """How many metric points were not stored."""
        return self._session.points_not_stored

    # The end

    def finish(
        self, status: RunStatus | str = RunStatus.COMPLETED, *, error: BaseException | RunFailure | str | None = None
    ) -> None:
        """Ends the run. Children that are under way end first, in the same way. Finishing again changes nothing.

        Waits until what was logged is in the database, within the bounds of :func:`runstore.open_store`; what is left
        stays on disk for the next start or ``runstore sync``.

        Args:
            status: ``"completed"``, ``"failed"`` or ``"interrupted"``.
            error: why: an exception, or a text such as ``"the loss is nan"``. With an error and no status the run ends as
                the exception says, or ``failed`` with a text.

        Raises:
            InvalidValueError: the status is none of these, or the error is neither an exception nor a text.
        """
        ended, reason = check_terminal_status(status), reason_of(error)
        if reason is not None and ended is RunStatus.COMPLETED:
            ended = RunStatus.FAILED if isinstance(reason, RunFailure) else status_of(reason)
        self._end(ended, reason)

    def end_with_process(self, error: BaseException | None) -> None:
        """Ends the run as the process ends: well, or by an exception that nobody caught.

        A person at a prompt goes on after an exception. In a notebook it counts how the last cell ended that logged.
        """
        is_prompt = hasattr(sys, "ps1") or sys.flags.interactive
        self.end_by(cause_of(cells.error_of(self) if is_prompt else error))

    def was_logged_to(self) -> bool:
        """Whether something was logged since this was asked last."""
        was_logged_to, self._was_logged_to = self._was_logged_to, False
        return was_logged_to

    def end_with_signal(self) -> None:
        """Ends the run because the process dies of SIGTERM next; closes nothing."""
        self._end(RunStatus.INTERRUPTED, _TERMINATED, is_dying=True)

    def _end(self, status: RunStatus, error: BaseException | RunFailure | None, *, is_dying: bool = False) -> None:
        if os.getpid() != self._pid or next(self._ends):
            return
        for child in self._children:
            child._end(status, error, is_dying=is_dying)  # noqa: SLF001 - of this class
        for companion in self._companions:
            try:
                companion.stop(is_hurried=is_dying)
            except Exception:  # noqa: BLE001 - the run must end all the same
                _log.warning("run %s: %s could not be ended", self.id, type(companion).__name__, exc_info=True)
        self._status = status
        self._session.end(status, error)
        if self._owns_store and not is_dying:
            self._session.close()
        note_end(self)
        signals.forget(self)
        self._teller.ended(self, status, error, time.monotonic() - self._began_at)

    def __enter__(self) -> Self:
        """The run, which has begun."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends the run by what left the block."""
        self.end_by(cause_of(error))

    async def __aenter__(self) -> Self:
        """The run, which has begun."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends the run by what left the block, in a thread: other tasks go on while the store is closed."""
        import asyncio  # noqa: PLC0415 - whoever comes here has it loaded

        await asyncio.shield(asyncio.get_running_loop().run_in_executor(None, self.end_by, cause_of(error)))

    # Its parts

    @property
    def is_store_named(self) -> bool:
        """Whether the program has named the store's URL, so that a command needs it, too."""
        return self._teller.names_store

    def end_by(self, error: BaseException | None) -> None:
        """Ends the run by an error, or well without one."""
        self._end(status_of(error), error)

    def accompany(self, companion: Companion) -> None:
        """Has something end with the run."""
        self._companions.append(companion)

    def adopt(self, child: "ActiveRun") -> None:
        """Has a run end with this one, unless it has ended before."""
        self._children.append(child)

    def begin(self) -> None:
        """Has the run end with the process, or by SIGTERM, unless it has ended before; and says that it has begun."""
        expect_end(self)
        signals.watch(self)
        self._teller.began(self)

    def _edit(self, verb: str, change: Callable[[RunEditor], None]) -> bool:
        """Changes the run, also after its end, for which a store that was closed with it is opened once more."""
        is_changed = self._session.edit(verb, change)
        if self._status is not None and self._owns_store:
            self._session.close()
        return is_changed

    def _is_over(self, verb: str) -> bool:
        """Whether the run has ended here, so that nothing is written any more; told once."""
        self._was_logged_to = True
        if self._status is None or os.getpid() != self._pid:
            return False
        if not self._told_late:
            self._told_late = True
            _log.warning(
                "run %s has ended as %s, so that %s after its end is not stored; "
                "start_run(resume=%r) opens it again as a new attempt",
                self.id, self._status, verb, self.id,
            )  # fmt: skip
        return True

    def __getstate__(self) -> dict[str, Any]:
        """What a copy in another process needs to write to the same run."""
        return self.__dict__ | {"_steps": self._steps.of_copy(), "_ends": None, "_children": [], "_companions": []}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """A copy that writes to the same run and does not end it."""
        self.__dict__.update(state)
        self._ends = itertools.count(1)
        if not self._session.is_open:  # else it is shared with the run that this was copied from in this process
            close_when_dropped(self, self._session)

    def __repr__(self) -> str:
        """The run and how it stands."""
        name = "" if self.name is None else f", name={self.name!r}"
        return f"ActiveRun({self.id!r}, experiment={self.experiment!r}{name}, status={str(self.status)!r})"

    def _repr_html_(self) -> str:
        """The same for a notebook."""
        return html_of(self)
