"""Whether the store takes records: how long it has not, what is said of that, and when it is tried again."""

import logging
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime

from runstore.recording.journal import Journal
from runstore.recording.patience import Backlog
from runstore.secrets import redact

_log = logging.getLogger(__name__)

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 15.0

SPEAK_AGAIN_S = 300.0
"""How often it is said that records wait: who starts to look later should not have to read the log from its beginning."""


class Outage:
    """What one writer's thread knows of a store that fails; others read the attributes.

    Attributes:
        is_away: the store failed to take records when it was asked last.
        last_error: what it said when it failed last, in one line and without secrets.
        last_error_at: when.
    """

    def __init__(self, journal: Journal, backlog: Callable[[], Backlog]) -> None:
        """Nothing has failed yet.

        Args:
            journal: the writer's.
            backlog: tells how much waits.
        """
        self.is_away = False
        self.last_error: str | None = None
        self.last_error_at: datetime | None = None
        self._journal = journal
        self._backlog = backlog
        self._pause_s = FIRST_PAUSE_S
        self._since = 0.0
        self._spoke_at = float("-inf")
        self._has_told_refusal = False

    @property
    def lasted_s(self) -> float:
        """For how long the store has been away; only while it is."""
        return time.monotonic() - self._since

    def next_pause(self) -> float:
        """How long to wait before the next try: each time about twice as long."""
        pause_s = self._pause_s * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, not a secret
        self._pause_s = min(self._pause_s * 2, LONGEST_PAUSE_S)
        return pause_s

    def note_failure(self, error: BaseException) -> str:
        """The store failed so; gives that in one line."""
        told = " ".join(redact(f"{type(error).__name__}: {error}").split())  # one line in the log
        self.last_error, self.last_error_at = told, datetime.now(UTC)
        if not self.is_away:
            self.is_away = True
            self._since = time.monotonic()
            self._spoke_at = float("-inf")
        return told

    def note_success(self) -> None:
        """The store took what there was."""
        self._pause_s = FIRST_PAUSE_S
        if self.is_away:
            self.is_away = self._has_told_refusal = False
            self._spoke_at = float("-inf")
            _log.warning("the store takes records again, after %.1f s", self.lasted_s)

    def speak(self, reason: str, *, is_refused: bool) -> None:
        """Says that records wait, and why: when that begins, when a person must mend it, and now and then."""
        if is_refused and self._journal.end == 0:
            return  # whoever opens the store is told, and nothing waits that could be sent
        is_news = is_refused and not self._has_told_refusal
        if not is_news and time.monotonic() - self._spoke_at < SPEAK_AGAIN_S:
            return
        self._spoke_at = time.monotonic()
        self._has_told_refusal = is_refused
        if is_refused:
            _log.error(
                "the database turns us away (%s); %d records wait in %s until somebody mends that, here or before "
                "`runstore sync`",
                reason, self._backlog().records, self._journal.folder,
            )  # fmt: skip
        else:
            _log.warning(
                "the store does not take records (%s); they wait in %s and are sent when it does",
                reason, self._journal.folder,
            )  # fmt: skip
