"""The steps of a run's calls: those that the program gives, and those that are counted where it gives none."""

import itertools
import logging
import os
import time
from typing import Any, Final

from runstore.errors import InvalidValueError, RunStoreError
from runstore.training.going_on import read_summaries
from runstore.training.scalars import step_of
from runstore.training.session import RunSession
from runstore.values.checks import MAX_STEP, shown

_log = logging.getLogger("runstore.session")

_NEXT: Final = "next"


class Steps:
    """The steps of one run.

    Any thread may ask. Steps are counted in the process alone that has begun the run: nobody counts for several.
    """

    def __init__(self, session: RunSession, *, may_exist: bool) -> None:
        """Asks the store nothing yet.

        Args:
            session: the run's.
            may_exist: whether the run may have points already.
        """
        self._session = session
        self._may_exist = may_exist
        self._highest = -1
        # The steps of calls that name none, once there was one. A counter counts in one go, and setdefault takes the first
        # of two that threads have made: no lock that a fork could find taken.
        self._counted: dict[str, itertools.count[int]] = {}
        self._pid = os.getpid()
        self._is_copy = False

    def given(self, step: Any) -> int:
        """A step that a program gives; calls that give none go on behind it.

        Raises:
            InvalidValueError: it is no whole number.
        """
        at = step if type(step) is int else step_of(step)
        if type(at) is not int:
            raise InvalidValueError(f"step is {shown(step)} of type {type(step).__name__}; give a whole number")
        if self._highest < at <= MAX_STEP:  # one that no store takes leaves the steps of later calls as they are
            self._highest = at
            if self._counted:
                self._counted[_NEXT] = itertools.count(at + 1)
        return at

    def next(self) -> int:
        """The step after the highest one so far.

        Raises:
            InvalidValueError: this is another process than that which has begun the run.
        """
        if self._is_copy or os.getpid() != self._pid:
            raise InvalidValueError(
                f"no step is given, and this is a copy of run {self._session.run_id!r}, whose steps are counted in the "
                "process that has begun it: what two processes log at one step replaces one another; "
                "give a step, and each process other names: run.log({'worker_0/loss': 0.5}, step=3)"
            )
        steps = self._counted.get(_NEXT)
        if steps is None:
            last = self._last_stored() if self._may_exist else -1
            steps = self._counted.setdefault(_NEXT, itertools.count(1 + max(last, self._highest)))
        step = next(steps)
        self._highest = max(self._highest, step)
        return step

    def of_copy(self) -> "Steps":
        """Those of a copy of the run."""
        steps = Steps(self._session, may_exist=self._may_exist)
        steps._is_copy = True
        return steps

    def _last_stored(self) -> int:
        """Of a run that may have points already. Readings of the machine have seconds for steps, and do not count.

        Where the store cannot tell it soon, the seconds since 1970: no earlier point is written over.
        """
        try:
            summaries = read_summaries(self._session)
            return max((each.last.step for each in summaries if not each.name.startswith("system/")), default=-1)
        except RunStoreError as error:
            now = int(time.time())
            _log.warning(
                "run %s: the last step that it has cannot be read now, so steps without a number of their own begin at %d, "
                "behind all that were logged before: %s", self._session.run_id, now + 1, error,
            )  # fmt: skip
            return now
