"""Looks whether a store still holds what it acknowledged, and has what it has forgotten sent again.

An acknowledgement is not for ever: a standby that lags is promoted, a backup is restored. So the store is asked when it
was away and answers again, when it does not know a run that it has taken, and when a run or its writer ends.
"""

import logging
import time
from collections.abc import Callable, Collection, Iterable, Mapping

from msgspec import Struct

from runstore.backend import BackendStore, StepRange
from runstore.errors import RunNotFoundError, RunStoreError
from runstore.local.clock import now_us
from runstore.recording.again.changes import AnyChange, send_changes
from runstore.recording.again.missing import Missing, find_missing
from runstore.recording.again.resend import Resend, Sent, StoppedError
from runstore.recording.counts import WriterCounts
from runstore.recording.drain import ORPHAN_GRACE_S, JournalDrain, TryLaterError
from runstore.recording.figures import Figures
from runstore.recording.journal import Journal
from runstore.recording.records import Record, RunRecord, run_of
from runstore.recording.told import Told

_log = logging.getLogger(__name__)


class Finding(Struct, frozen=True, kw_only=True):
    """What a store had forgotten of one run, and what was done about it.

    Attributes:
        run_id: the run.
        forgotten: in a few words each.
        points: how many points were sent again.
        calls: how many other records were.
        lost: what could not be sent again, in a few words each.
    """

    run_id: str
    forgotten: tuple[str, ...]
    points: int
    calls: int
    lost: tuple[str, ...]


class Lookout:
    """What one writer does about a store that forgets; for its thread, or for who compares what it has left.

    Attributes:
        efforts: goes up while something is sent again.
        has_been_away: the store failed since it was looked at.
        findings: what was found up to now.
        is_logged: whether it is logged as well; not where the caller tells it.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what it works with
        self,
        journal: Journal,
        drain: JournalDrain,
        counts: WriterCounts,
        figures: Figures,
        told: Told,
        grace_s: float = ORPHAN_GRACE_S,
    ) -> None:
        """Has seen nothing yet.

        Args:
            journal: the writer's.
            drain: the journal's.
            counts: where what is sent again is counted.
            figures: what was reported of the writer's runs.
            told: what the store was told.
            grace_s: how long a run that another process began is waited for, if it is gone.
        """
        self.efforts = 0
        self.has_been_away = False
        self.findings: list[Finding] = []
        self.is_logged = True
        self._grace_s = grace_s
        self._journal = journal
        self._drain = drain
        self._counts = counts
        self._figures = figures
        self._told = told
        self._orphans: dict[str, float] = {}
        drain.bring_back = self.bring_back

    def look_after_outage(self, store: BackendStore) -> None:
        """Looks at everything, if the store has been away since the last look.

        Raises:
            TryLaterError: it is away again.
        """
        if self.has_been_away and self._told:
            self._guarded(lambda: self._look(store, list(self._told.runs), is_back=True))
        self.has_been_away = False

    def look_at_ends(self, store: BackendStore, *, is_last: bool) -> None:
        """Looks at the runs that have ended since the last look; with ``is_last`` at all of which something was told since.

        Raises:
            TryLaterError: the store is away.
        """
        asked = [
            run_id for run_id, told in self._told.runs.items() if not told.is_looked_at and (is_last or told.has_ended)
        ]
        if asked:
            self._guarded(lambda: self._look(store, asked, is_back=False))

    def look_at_all(self, store: BackendStore) -> None:
        """Looks at all that was told, whatever the store's summaries say. Changes of runs are left to the caller.

        Raises:
            RunStoreError: the store is away, or fails.
            StoppedError: told to end.
            TryLaterError: what is needed is another process's to send.
            OSError: the journal cannot be read.
        """
        self._resend(store, {}, {}).send_experiments()
        missing = self._find(store, list(self._told.runs), is_back=True, is_torn=True)
        if missing:
            self._send(store, missing)

    def bring_back(self, store: BackendStore, record: Record) -> bool:
        """Whether the store has forgotten what a record needs, and has it again.

        Raises:
            TryLaterError: it is away, or what is needed is another process's to send.
        """
        has_again: list[bool] = []
        self._guarded(lambda: has_again.append(self._bring_back(store, record)))
        return any(has_again)

    def _bring_back(self, store: BackendStore, record: Record) -> bool:
        needed = [run_of(record)]
        if isinstance(record, RunRecord):
            if record.parent_run_id is not None:
                needed.append(record.parent_run_id)
            if record.experiment_id in self._told.experiments and not self._has_experiment(store, record):
                self._resend(store, {}, {}).send_experiments()
                return self._has_experiment(store, record)
        gone = [run_id for run_id in needed if run_id in self._told.runs and store.presence_of(run_id) is None]
        if gone:
            self._look(store, list(self._told.runs), is_back=True)
        return any(store.presence_of(run_id) is not None for run_id in gone)

    @staticmethod
    def _has_experiment(store: BackendStore, record: RunRecord) -> bool:
        return record.experiment_id is None or store.find_experiment_by_id(record.experiment_id) is not None

    def _guarded(self, look: Callable[[], None]) -> None:
        try:
            look()
        except StoppedError as stopped:
            raise TryLaterError from stopped
        except RunStoreError as error:
            if error.is_transient:
                raise TryLaterError from error
            _log.warning("what the store holds could not be compared with what it took: %s", error)
        except (TryLaterError, OSError):
            raise
        except Exception:  # noqa: BLE001 - a stranger's backend; the drain must go on
            _log.exception("what the store holds could not be compared with what it took")

    def _look(self, store: BackendStore, run_ids: Iterable[str], *, is_back: bool) -> None:
        if is_back:
            self._resend(store, {}, {}).send_experiments()
        missing = self._find(store, run_ids, is_back=is_back)
        if any(each.has_gone_back for each in missing.values()):
            # Of the other runs as well, and whatever the summaries say: a backup may have been taken in between.
            run_ids = list(self._told.runs)
            missing = self._find(store, run_ids, is_back=True, is_torn=True)
            is_back = True
        if missing:
            self._send(store, missing)
        if is_back and self._told.changes:
            self._send_changes(store, self._told.changes)
        for run_id in run_ids:
            if run_id in self._told.runs:
                self._told.runs[run_id].is_looked_at = True

    def _send_changes(self, store: BackendStore, changes: Collection[AnyChange]) -> None:
        at_us = now_us()
        sent, refused = send_changes(store, changes, self._check)
        for run_id in {**sent, **refused}:
            calls, lost = sent.get(run_id, 0), refused.get(run_id, [])
            self._counts.of(run_id).note_sent_again(at_us, missing=0, points=0, calls=calls, lost=lost)
            if run_id:
                self._figures.forget(run_id)
            _log.log(
                logging.ERROR if lost else logging.WARNING,
                "the store has gone back: %d changes of run %s were sent again%s",
                calls, run_id, f", and these cannot be: {'; '.join(lost)}" if lost else "",
            )  # fmt: skip

    def _check(self) -> None:
        if not self._go_on():
            raise StoppedError

    def _send(self, store: BackendStore, missing: dict[str, Missing]) -> None:
        at_us = now_us()
        sent = {run_id: Sent() for run_id in missing}
        try:
            resend = self._resend(store, missing, sent)
            self._wait_for_others(missing, resend.begin())
            start = min((self._start_of(run_id, each) for run_id, each in missing.items()), default=0)
            resend.send(start, self._drain.position)
            rest = self._find(store, missing, is_back=False, with_marks=False)
            if rest and start > self._journal.first:
                self._resend(store, rest, sent).send(self._journal.first, self._drain.position)
                rest = self._find(store, rest, is_back=False, with_marks=False)
        except BaseException:  # away again: the next look finds what is missing then
            for run_id, part in sent.items():
                if part.points or part.calls:
                    self._counts.of(run_id).note_sent_again(
                        at_us, missing=part.points, points=part.points, calls=part.calls
                    )
            raise
        for run_id, each in missing.items():
            self._leave_out_thinned(store, run_id, each, sent[run_id])
            self._note(run_id, each, sent[run_id], rest.get(run_id), at_us)

    @staticmethod
    def _leave_out_thinned(store: BackendStore, run_id: str, missing: Missing, sent: Sent) -> None:
        """Counts nothing of histories that took no point again though their summaries are right: they were thinned."""
        for series, before in missing.torn.items():
            points = sent.torn.get(series, 0)
            if points:
                history = store.read_history(run_id, series, StepRange(0, missing.series[series]))
                if history is not None and len(history.steps) == before:
                    sent.points -= points
                    missing.points = max(missing.points - points, 0)

    def _find(
        self,
        store: BackendStore,
        run_ids: Iterable[str],
        *,
        is_back: bool,
        is_torn: bool = False,
        with_marks: bool = True,
    ) -> dict[str, Missing]:
        found = {}
        for run_id in run_ids:
            if is_torn:
                self._check()
            told = self._told.runs[run_id]
            mark = self._figures.mark_of(run_id) if with_marks else 0
            missing = find_missing(
                store, run_id, told, writer=self._journal.folder.name, mark=mark, is_back=is_back, is_torn=is_torn
            )
            if missing is not None and (missing or missing.has_gone_back):
                found[run_id] = missing
        return found

    def _wait_for_others(self, missing: dict[str, Missing], unbegun: Mapping[str, str]) -> None:
        """Waits for a while for who can begin what this writer cannot, or its parent; after that the run is named as lost.

        Raises:
            TryLaterError: not yet.
        """
        for run_id, reason in unbegun.items():
            since = self._orphans.setdefault(run_id, time.monotonic())
            if time.monotonic() - since < self._grace_s:
                raise TryLaterError from RunNotFoundError.of(run_id)
            gone = missing.pop(run_id)
            self._note(run_id, gone, Sent(refused=[reason]), gone, now_us())

    def _start_of(self, run_id: str, missing: Missing) -> int:
        """From where on the journal has what is missing: behind the figures that the store still has, all is."""
        position = None if missing.is_gone or missing.torn else self._figures.position_at(run_id, missing.mark)
        return self._journal.first if position is None else max(position, self._journal.first)

    def _resend(self, store: BackendStore, missing: dict[str, Missing], sent: dict[str, Sent]) -> Resend:
        return Resend(self._journal, store, self._told, missing, sent, self._go_on)

    def _go_on(self) -> bool:
        self.efforts += 1
        return not self._drain.is_stopped

    def _note(self, run_id: str, missing: Missing, sent: Sent, rest: Missing | None, at_us: int) -> None:
        if not (sent.points or sent.calls or rest):
            return  # looked through, and all was there
        lost = [*(rest.described() if rest else ()), *sent.refused]
        self.findings.append(
            Finding(
                run_id=run_id,
                forgotten=tuple(missing.described()),
                points=sent.points,
                calls=sent.calls,
                lost=tuple(lost),
            )
        )
        self._counts.of(run_id).note_sent_again(
            at_us, missing=max(missing.points, sent.points), points=sent.points, calls=sent.calls, lost=lost
        )
        self._figures.forget(run_id)
        if lost:
            _log.log(
                logging.ERROR if self.is_logged else logging.DEBUG,
                "the store has gone back: of run %s it had forgotten %s; %d points and %d other records were sent "
                "again, and these cannot be: %s",
                run_id, "; ".join(missing.described()), sent.points, sent.calls, "; ".join(lost),
            )  # fmt: skip
            if rest is not None:
                self._expect_no_more(run_id, rest)
        else:
            _log.log(
                logging.WARNING if self.is_logged else logging.DEBUG,
                "the store has gone back: of run %s it had forgotten %s; %d points and %d other records were sent again",
                run_id, "; ".join(missing.described()), sent.points, sent.calls,
            )  # fmt: skip

    def _expect_no_more(self, run_id: str, rest: Missing) -> None:
        """What cannot be sent again is named once, and not looked for again."""
        if rest.is_gone:
            self._told.forget(run_id)
        else:
            self._told.runs[run_id].expect_no_more(rest.series, rest.artifacts)
