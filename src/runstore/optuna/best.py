"""Which trials are the best now: their runs have the tag ``best``, and no other run of the study has."""

import functools
import logging
from collections.abc import Callable, Sequence

import optuna

from runstore.errors import RunStoreError
from runstore.optuna.trials import run_id_of
from runstore.protocol import RunEditor, RunReader
from runstore.session import ActiveRun

_log = logging.getLogger("runstore.optuna")

_TAG = "best"
_IS_BEST = {_TAG: "true"}


class BestTrials:
    """Keeps the tag where it belongs while the study goes on."""

    def __init__(self, sweep: ActiveRun) -> None:
        self._sweep = sweep
        self._tagged: set[str] | None = None

    def update(self, study: optuna.Study) -> None:
        """Tags the runs of the best trials, and takes the tag from those that are best no longer."""
        best = {run_id_of(self._sweep.id, number): number for number in _numbers(study)}
        if self._tagged is None:
            self._tagged = self._tagged_before()
        for run_id in best.keys() - self._tagged:
            if self._edit(functools.partial(_tag, run_id)):
                self._tagged.add(run_id)
        for run_id in self._tagged - best.keys():
            if self._edit(functools.partial(_untag, run_id)):
                self._tagged.discard(run_id)

    def _tagged_before(self) -> set[str]:
        """The runs that an earlier process of this study has tagged."""
        try:
            store = self._sweep.store
            if isinstance(store, RunReader):
                found = store.search_runs(f"parent_run_id = '{self._sweep.id}' and tag.{_TAG} = 'true'", limit=1000)
                return {run.id for run in found.items}
        except RunStoreError as error:
            _log.warning("run %s: which trials were the best before cannot be read now: %s", self._sweep.id, error)
        return set()

    def _edit(self, edit: Callable[[RunEditor], None]) -> bool:
        try:
            store = self._sweep.store
            if isinstance(store, RunEditor):
                edit(store)
        except RunStoreError as error:
            _log.warning("run %s: the best trial could not be tagged: %s", self._sweep.id, error)
            return False
        return True


def _tag(run_id: str, editor: RunEditor) -> None:
    editor.set_tags(run_id, _IS_BEST)


def _untag(run_id: str, editor: RunEditor) -> None:
    editor.remove_tags(run_id, [_TAG])


def best_values(study: optuna.Study, names: Sequence[str]) -> dict[str, float]:
    """The best value so far, under the name ``best_…``; of several objectives there is none."""
    if len(names) > 1:
        return {}
    try:
        return {f"best_{names[0]}": study.best_value}
    except ValueError:  # no trial keeps to the study's constraints
        return {}


def _numbers(study: optuna.Study) -> list[int]:
    """The best trial; of several objectives those that no other one beats in all; none before the first has ended."""
    try:
        return [trial.number for trial in study.best_trials]
    except ValueError:
        return []
