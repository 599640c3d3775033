"""A study as a run, and each of its trials as a run below it."""

import contextvars
import functools
import threading
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, ParamSpec, Self, TypeVar

import optuna
from optuna.trial import FrozenTrial

from runstore.backend.begun import cause_of
from runstore.errors import InvalidValueError
from runstore.optuna.best import BestTrials, best_values
from runstore.optuna.trials import (
    config_of_study,
    end_trial,
    names_of_values,
    run_id_of,
    values_of,
    write_config,
    write_cut_short,
    write_intermediate,
    write_trial,
)
from runstore.protocol import RunStore
from runstore.session import ActiveRun, start_run
from runstore.values.checks import check_run_id
from runstore.values.ids import new_run_id

_ATTRIBUTE = "runstore_run_id"
"""The study's attribute that holds the id of its run, so that whoever goes on with the study goes on with the run."""

ParamsT = ParamSpec("ParamsT")
ValueT = TypeVar("ValueT")


class RunStoreCallback:
    """Keeps a study's trials in the database at a URL, each as a run below the study's own.

    ::

        sweep = RunStoreCallback("sqlite:///runs.db", experiment="ct-seg")

        @sweep.track
        def objective(trial):
            lr = trial.suggest_float("lr", 1e-4, 1e-1, log=True)
            ...
            sweep.run.log({"train/loss": loss}, step=epoch)
            return loss

        with sweep:
            study.optimize(objective, n_trials=20, callbacks=[sweep])

    A trial's parameters are its run's config; what it reports is the metric ``intermediate_value``, what it returns
    ``value`` (or as ``study.set_metric_names`` says), and how long it took ``duration_s``. Its run ends ``completed``;
    ``interrupted`` with the reason ``optuna.exceptions.TrialPruned``, or by Ctrl-C; ``failed`` with the exception. The run
    of the best trial has the tag ``best``; of several objectives, all that no other one beats.

    With :meth:`track` a trial's run begins with the trial, and the exception that ends it is known. As a callback alone
    this writes each trial when it has ended; Optuna does not call it for one whose exception ends the study.

    The study's run has the values and the best of them, by the trials' numbers. It ends with the block, or with the process.
    Its id is kept with the study: going on with the study, in any process, is the run's next attempt. Trials of several
    threads (``n_jobs``) and several processes are told apart; of processes that begin a new study at the same moment give
    each the same ``run_id``.

    A store that is away never stops a study; see :func:`runstore.start_run`.
    """

    def __init__(  # noqa: PLR0913 - each is an option of its own
        self,
        url: str | None = None,
        *,
        experiment: str | None = None,
        run_id: str | None = None,
        name: str | None = None,
        tags: Mapping[str, str] | None = None,
        durable: bool = True,
        artifacts: str | None = None,
        store: RunStore | None = None,
        console: bool | None = None,
    ) -> None:
        """Opens nothing and writes nothing.

        Args:
            url: the store's URL; by default it is looked for as :func:`runstore.open_store` does.
            experiment: the experiment's name; by default the study's.
            run_id: the id of the study's run, instead of one that is kept with the study.
            name: a label for the study's run; by default the study's name.
            tags: short texts by key, for the study's run and each trial's.
            durable: whether calls are journaled on local disk first, as in :func:`runstore.open_store`.
            artifacts: where artifact bytes go, as in :func:`runstore.open_store`.
            store: an open store instead of a URL. It stays the caller's: it is never closed here.
            console: whether the study's run says where it is, as for :func:`runstore.start_run`.

        Raises:
            InvalidValueError: (a ``ValueError``) the run id is not allowed, or both ``url`` and ``store`` are given.
        """
        if url is not None and store is not None:
            raise InvalidValueError("url and store are both given; give the URL to open a store, or an open store")
        self._place: dict[str, Any] = {
            "store": url if store is None else store,
            "durable": durable,
            "artifacts": artifacts,
            "console": console,
        }
        self._experiment = experiment
        self._run_id = None if run_id is None else check_run_id(run_id)
        self._name = name
        self._tags = dict(tags or {})
        self._study: optuna.Study | None = None
        self._sweep: ActiveRun | None = None
        self._best: BestTrials | None = None
        self._returned: dict[int, ActiveRun] = {}
        self._ended: set[int] = set()
        self._lock = threading.RLock()
        self._current: contextvars.ContextVar[ActiveRun | None] = contextvars.ContextVar("trial", default=None)

    @property
    def run(self) -> ActiveRun:
        """The run of the trial that goes on in this thread, to log more; outside of a trial the study's own.

        Raises:
            InvalidValueError: no trial was begun yet.
        """
        run = self._current.get() or self._sweep
        if run is None:
            raise InvalidValueError("no trial was begun yet; sweep.run is the run of the trial that goes on")
        return run

    def run_id_of(self, trial: optuna.Trial | FrozenTrial | int) -> str:
        """The id of a trial's run, which it has before and after this process.

        Raises:
            InvalidValueError: the study's run is not known yet.
        """
        sweep_id = self._run_id if self._sweep is None else self._sweep.id
        if sweep_id is None:
            raise InvalidValueError("no trial was begun yet, so the study's run is not known; give run_id")
        return run_id_of(sweep_id, trial if isinstance(trial, int) else trial.number)

    def track(self, objective: Callable[ParamsT, ValueT]) -> Callable[ParamsT, ValueT]:
        """The objective, with a run for each of its trials. What it raises comes through."""

        @functools.wraps(objective)
        def tracked(*args: ParamsT.args, **kwargs: ParamsT.kwargs) -> ValueT:
            trial = next((each for each in (*args, *kwargs.values()) if isinstance(each, optuna.Trial)), None)
            if trial is None:  # a trial with fixed parameters belongs to no study
                return objective(*args, **kwargs)
            run = self._begin(trial.study, trial.number)
            _listen(trial, run)
            token = self._current.set(run)
            try:
                value = objective(*args, **kwargs)
            except BaseException as error:
                write_cut_short(run, trial)
                run.end_by(cause_of(error))
                self._ended.add(trial.number)
                raise
            finally:
                self._current.reset(token)
            with self._lock:
                self._returned[trial.number] = run  # Optuna has still to say whether it takes the value
            return value

        return tracked

    def __call__(self, study: optuna.Study, trial: FrozenTrial) -> None:
        """Writes a trial that has ended. Optuna calls it, where it stands among the study's ``callbacks``."""
        with self._lock:
            sweep = self._begun(study)
            run = self._returned.pop(trial.number, None)
        names = names_of_values(study)
        if trial.number not in self._ended:
            self._settle(run or self._trial(sweep, trial.number), trial, names)
        self._sum_up(sweep, study, trial, names)

    def __enter__(self) -> Self:
        """Begins nothing yet; the block's end is the end of the study's run."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends the study's run by what left the block."""
        self.finish(error)

    def finish(self, error: BaseException | None = None) -> None:
        """Ends the study's run: well, or by an error. Another trial begins it again, as its next attempt."""
        with self._lock:
            self._settle_returned()
            sweep, self._sweep, self._best = self._sweep, None, None
        if sweep is not None:
            sweep.end_by(cause_of(error))

    def _begin(self, study: optuna.Study, number: int) -> ActiveRun:
        with self._lock:
            sweep = self._begun(study)
            self._settle_returned()
        return self._trial(sweep, number)

    def _begun(self, study: optuna.Study) -> ActiveRun:
        """The study's run, begun now if it was not. The caller holds the lock."""
        if self._sweep is not None and self._study is not None and study.study_name != self._study.study_name:
            raise InvalidValueError(
                f"this callback writes the study {self._study.study_name!r}, and was called by {study.study_name!r}; "
                "make one for each study"
            )
        if self._sweep is None:
            run_id, is_known = self._run_id or study.user_attrs.get(_ATTRIBUTE), True
            if run_id is None:
                run_id, is_known = new_run_id(), False
                study.set_user_attr(_ATTRIBUTE, run_id)
            self._sweep = start_run(
                self._experiment or study.study_name,
                run_id=run_id,
                resume=is_known,
                name=self._name or study.study_name,
                tags=self._tags,
                config=config_of_study(study),
                **self._place,
            )
            self._study, self._best = study, BestTrials(self._sweep)
        return self._sweep

    def _trial(self, sweep: ActiveRun, number: int) -> ActiveRun:
        return sweep.child(
            experiment=sweep.experiment,
            run_id=run_id_of(sweep.id, number),
            name=f"trial {number}",
            tags=self._tags | {"trial": str(number)},
        )

    def _settle(self, run: ActiveRun, trial: FrozenTrial, names: list[str]) -> None:
        write_trial(run, trial, names)
        end_trial(run, trial)
        self._ended.add(trial.number)

    def _settle_returned(self) -> None:
        """Ends the runs of trials of which Optuna has told the state by now. The caller holds the lock."""
        if self._study is None or self._sweep is None or not self._returned:
            return
        trials = {trial.number: trial for trial in self._study.get_trials(deepcopy=False)}
        for number in [number for number in self._returned if trials[number].state.is_finished()]:
            names = names_of_values(self._study)
            self._settle(self._returned.pop(number), trials[number], names)
            self._sum_up(self._sweep, self._study, trials[number], names)

    def _sum_up(self, sweep: ActiveRun, study: optuna.Study, trial: FrozenTrial, names: list[str]) -> None:
        """Writes the trial's values to the study's run, and marks the best."""
        values = values_of(trial, names)
        if values:
            sweep.log(values | best_values(study, names), step=trial.number)
        with self._lock:
            if self._best is not None:
                self._best.update(study)


def _listen(trial: optuna.Trial, run: ActiveRun) -> None:
    """Writes what a trial reports as it is reported; its parameters go with it."""
    report = trial.report

    @functools.wraps(report)
    def listened(value: float, step: int) -> None:
        report(value, step)
        write_intermediate(run, value, step)
        write_config(run, trial)

    trial.report = listened  # type: ignore[method-assign]
