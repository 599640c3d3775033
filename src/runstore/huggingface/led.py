"""The runs that a callback leads: one for a training and what is evaluated of it, told apart by how it ended."""

import logging
import weakref
from collections.abc import Mapping
from typing import Any

from runstore.huggingface.checkpoints import CheckpointLog, LogModel
from runstore.huggingface.names import name_of, name_of_test
from runstore.huggingface.origin import Origin
from runstore.model import RunFailure, RunStatus
from runstore.opening.opener import Opener
from runstore.provenance import gather_provenance
from runstore.training.ending import close_when_dropped, expect_end, note_end, stop_when_dropped
from runstore.training.going_on import close_attempt, experiment_of, learn_names, read_run
from runstore.training.naming import MetricNames
from runstore.training.points import PointMaker
from runstore.training.session import RunSession
from runstore.training.system import SystemMetrics
from runstore.values.checks import check_run_id
from runstore.values.ids import new_run_id

_log = logging.getLogger("runstore.huggingface")

_PACKAGES = ("runstore", "transformers", "accelerate", "torch", "datasets", "tokenizers", "peft", "trl", "numpy")
_DEFAULT_EXPERIMENT = "huggingface"

_UNENDED = RunFailure(
    type="Unended",
    message="nothing said how this training ended before the next one, or the process's end",
    traceback="",
)


class LedRun:
    """The run that is written to now, in the process that writes.

    Attributes:
        run_id: its id, known before anything begins; a checkpoint may still name another one.
        log_model: which checkpoints are kept.
        logged: makes points of what a trainer logs.
        predicted: makes points of what ``predict`` gives.
    """

    def __init__(  # noqa: PLR0913 - the callback's own options
        self,
        opener: Opener,
        *,
        experiment: str | None,
        run_id: str | None,
        log_model: LogModel,
        system_metrics_s: float | None,
        birth: Mapping[str, Any],
    ) -> None:
        self._owner: weakref.ref[Any] | None = None
        self.run_id: str = new_run_id() if run_id is None else check_run_id(run_id)
        self.log_model = log_model
        self.logged: PointMaker = PointMaker(MetricNames(rule=name_of))
        self.predicted: PointMaker = PointMaker(MetricNames(rule=name_of_test))
        self._id_was_given = self._may_exist = run_id is not None
        self._opener = opener
        self._experiment = experiment
        self._birth = dict(birth)
        self._system_metrics_s = system_metrics_s
        self._system: SystemMetrics | None = None
        self._session: RunSession | None = None
        self._checkpoints = CheckpointLog(log_model)
        self._has_trained = False
        self._ended_as: RunStatus | None = None

    @property
    def session(self) -> RunSession | None:
        """The run's session, once the run has begun."""
        return self._session

    def belong_to(self, owner: Any) -> None:
        """What this process has opened for the run is closed once its owner is gone, which this does not hold."""
        self._owner = weakref.ref(owner)
        if self._session is not None:
            close_when_dropped(owner, self._session)

    @property
    def is_open(self) -> bool:
        """Whether the run has begun and not ended."""
        return self._session is not None and self._ended_as is None

    def train(self, args: Any, state: Any) -> RunSession:
        """Begins the run of a training, or goes on with the one that a checkpoint names.

        Raises:
            Exception: what must be mended before training; see :meth:`runstore.training.session.RunSession.begin`.
        """
        if self.is_open:
            self.end(RunStatus.INTERRUPTED, _UNENDED)
        origin, tags = Origin.read(state), {}
        if origin is not None and self._goes_on_from(origin, args):
            if origin.run_id != self.run_id:
                self._forget(origin.run_id)
                self._experiment = origin.experiment
            self._may_exist = True
        elif origin is not None or self._has_trained:
            before = self.run_id if origin is None else origin.run_id
            if self._has_trained:
                self._forget(new_run_id())
            tags = {"from_run": before}
            _log.warning(
                "run %s is not continued by this training, which gets the run %s, with the other's id in its tag from_run",
                before,
                self.run_id,
            )
        session = self._begin(args, resume=True, **tags)
        self._has_trained = True
        Origin(self.run_id, session.experiment or "", self._opener.shown_url).write(state)
        if self._system_metrics_s is not None:
            self._system = SystemMetrics(session, every_s=self._system_metrics_s, directory=".")
            owner = None if self._owner is None else self._owner()
            if owner is not None:
                stop_when_dropped(owner, self._system, session)
        return session

    def evaluate(self, args: Any) -> RunSession:
        """The session of what was evaluated: of the training before, or of a run of its own where there was none."""
        return self._begin(args, resume=False) if self._session is None else self._session

    def checkpoint(self, args: Any, state: Any) -> None:
        """A checkpoint was written."""
        if self._session is not None:
            self._checkpoints.written(args, state, self._session)

    def finish(self, args: Any, state: Any) -> None:
        """The training has come to its end, and its checkpoints are what they will be."""
        if self._session is not None:
            self._checkpoints.finish(args, state, self._session)

    def end(self, status: RunStatus, error: BaseException | RunFailure | None = None) -> None:
        """Ends the run, if it has begun and not ended, and closes the store until it is needed again."""
        if self._session is None or self._ended_as is not None:
            return
        self._stop_system()
        self._session.end(status, error)
        self._ended_as = status
        note_end(self)
        self._session.close()

    def end_with_process(self, error: BaseException | None) -> None:
        """Ends the run with its process: by what ended that, or as one of which nobody said how it ended."""
        if self._session is None:
            return
        self._stop_system()
        if error is None:
            self._session.end(RunStatus.INTERRUPTED, _UNENDED)
        else:
            self._session.end_with(error)
        self._session.close()

    def __getstate__(self) -> dict[str, Any]:
        """Everything but the thread that watches the machine and the owner; the copy writes to the same run."""
        return self.__dict__ | {"_system": None, "_owner": None}

    def _begin(self, args: Any, *, resume: bool, **tags: str) -> RunSession:
        session = self._session
        if session is None:
            session = self._new_session(args, tags)
        session.begin(resume=resume)
        if self._session is None and self._may_exist:
            learn_names(session, self.logged, self.predicted)
        self._session, self._ended_as = session, None
        expect_end(self)
        return session

    def _goes_on_from(self, origin: Origin, args: Any) -> bool:
        """Whether the run that wrote a checkpoint is to be continued: where this store has it, and nothing speaks against."""
        if origin.run_id == self.run_id:
            return True
        if self._id_was_given or self._experiment not in {None, origin.experiment}:
            return False
        session = self._new_session(args, {})
        run = read_run(session, origin.run_id)
        if run is not None:
            close_attempt(session, run)
        session.close()
        return run is not None or (self._opener.shown_url is not None and self._opener.shown_url == origin.store)

    def _forget(self, run_id: str) -> None:
        """Leaves the run, which has ended, for another one."""
        if self._session is not None:
            self._session.close()
        self.run_id, self._session, self._ended_as = run_id, None, None
        self._id_was_given = self._may_exist = self._has_trained = False
        self._checkpoints = CheckpointLog(self.log_model)

    def _new_session(self, args: Any, tags: Mapping[str, str]) -> RunSession:
        birth = self._birth | {"tags": {**(self._birth["tags"] or {}), **tags}}
        if birth["name"] is None and args.run_name != args.output_dir:  # which was its default once
            birth["name"] = args.run_name
        session = RunSession(
            self._opener.store,
            experiment=self._experiment or getattr(args, "project", None) or _DEFAULT_EXPERIMENT,
            run_id=self.run_id,
            provenance=gather_provenance(packages=_PACKAGES, seed=args.seed),
            **birth,
        )
        session.maker = self.logged
        owner = None if self._owner is None else self._owner()
        if owner is not None:
            close_when_dropped(owner, session)
        if self._id_was_given and self._experiment is None:
            run = read_run(session, self.run_id)
            session.experiment = (run and experiment_of(session, run)) or session.experiment  # it stays in its own
        return session

    def _stop_system(self) -> None:
        system, self._system = self._system, None
        if system is not None:
            system.stop()
