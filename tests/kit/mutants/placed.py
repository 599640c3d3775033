"""Planted bugs in placing what was made elsewhere (MOVE)."""

from msgspec.structs import replace

from kit.mutants.base import Mutant
from runstore.backend import PlacedRun
from runstore.errors import ExperimentNotFoundError, RunNotFoundError
from runstore.local.clock import now_us
from runstore.model import RunStatus


class PlacedRunsBeginAnew(Mutant, breaks="MOVE.1"):
    def place_run(self, placed: PlacedRun) -> None:
        super().place_run(replace(placed, attempt=1))


class PlacingIsAHeartbeat(Mutant, breaks="MOVE.1"):
    def place_run(self, placed: PlacedRun) -> None:
        super().place_run(replace(placed, heartbeat_us=now_us()))


class PlacedTimesAreCutToSeconds(Mutant, breaks="MOVE.1"):
    def place_run(self, placed: PlacedRun) -> None:
        super().place_run(replace(placed, start_us=placed.start_us // 1_000_000 * 1_000_000))


class PlacedRunsAreNeverArchived(Mutant, breaks="MOVE.1"):
    def place_run(self, placed: PlacedRun) -> None:
        super().place_run(replace(placed, archived_us=None))


class TheFirstPlacingWins(Mutant, breaks="MOVE.2"):
    def place_run(self, placed: PlacedRun) -> None:
        if self.presence_of(placed.id) is None:
            super().place_run(placed)


class PlacedTagsAreLaidOverThoseThatAreThere(Mutant, breaks="MOVE.2"):
    def place_run(self, placed: PlacedRun) -> None:
        known = self.find_run(placed.id)
        super().place_run(placed if known is None else replace(placed, tags=known.tags | placed.tags))


class PlacingForgetsWhatWasLogged(Mutant, breaks="MOVE.2"):
    def place_run(self, placed: PlacedRun) -> None:
        if self.find_run(placed.id) is not None:
            self.database.runs.pop(placed.id)
        super().place_run(placed)


class LostRunsArePlacedAsInterrupted(Mutant, breaks="MOVE.3"):
    def place_run(self, placed: PlacedRun) -> None:
        if placed.status is RunStatus.IN_PROGRESS:
            placed = replace(placed, status=RunStatus.INTERRUPTED, end_us=placed.heartbeat_us)
        super().place_run(placed)


class PlacingBringsDeletedRunsBack(Mutant, breaks="MOVE.4"):
    def place_run(self, placed: PlacedRun) -> None:
        self.database.purged.discard(placed.id)
        entry = self.database.runs.get(placed.id)
        if entry is not None:
            entry.deleted_us = None
        super().place_run(placed)


class PlacingOverwritesWhatHasGoneOn(Mutant, breaks="MOVE.4"):
    def place_run(self, placed: PlacedRun) -> None:
        entry = self.database.runs.get(placed.id)
        if entry is not None:
            entry.run = replace(entry.run, attempt=min(entry.run.attempt, placed.attempt))
        super().place_run(placed)


class PlacedRunsNeedNoParent(Mutant, breaks="MOVE.5"):
    def place_run(self, placed: PlacedRun) -> None:
        try:
            super().place_run(placed)
        except ExperimentNotFoundError:
            raise
        except RunNotFoundError:
            super().place_run(replace(placed, parent_run_id=None))


class PlacingLeavesTheExperimentHidden(Mutant, breaks="MOVE.5"):
    def place_run(self, placed: PlacedRun) -> None:
        hidden = dict(self.database.hidden_experiments)
        super().place_run(placed)
        self.database.hidden_experiments.update(hidden)
