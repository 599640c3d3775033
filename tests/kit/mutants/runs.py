"""Planted bugs in experiments and runs (EXP, RUN)."""

import random
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from kit.mutants.base import Front, Mutant
from runstore.backend import NewExperiment, NewRun
from runstore.errors import ConflictError
from runstore.model import Experiment


class RaceInGetOrCreate(Mutant, breaks="EXP.2"):
    def make_experiment(self, new: NewExperiment) -> None:
        if new.id not in self.database.experiments:
            time.sleep(0.005)
            if new.id in self.database.experiments:
                raise ConflictError(f"experiment {new.name!r} already exists; choose another name")
        super().make_experiment(new)


class RaceInEnsureRun(Mutant, breaks="RUN.9"):
    def insert_run(self, new: NewRun) -> bool:
        time.sleep(0.005)
        if new.id in self.database.runs:
            raise ConflictError(f"run {new.id!r} already exists; choose another id")
        return super().insert_run(new)


class ExperimentIdsAreCounted(Front, breaks="EXP.1"):
    def get_or_create_experiment(self, name: str, *, description: str | None = None) -> str:
        found = self.database.experiments[self.store.get_or_create_experiment(name, description=description)]
        counted = str(len(self.database.experiments))
        self.database.experiments[counted] = replace(found, id=counted)
        return counted


class TrailingSpacesAreStripped(Mutant, breaks="EXP.3"):
    def make_experiment(self, new: NewExperiment) -> None:
        super().make_experiment(replace(new, name=new.name.strip(" ") or new.name))


class LastDescriptionWins(Mutant, breaks="EXP.4"):
    def make_experiment(self, new: NewExperiment) -> None:
        super().make_experiment(new)
        made = self.database.experiments[new.id]
        self.database.experiments[new.id] = replace(made, description=new.description)


class ExperimentsAreListedAsTheyCame(Mutant, breaks="EXP.5"):
    def read_experiments(self, after: str | None, limit: int) -> Sequence[Experiment]:
        found = list(self.database.experiments.values())
        begin = next((place for place, each in enumerate(found, start=1) if each.name == after), 0)
        return found[begin : begin + limit]


class EnsuringAgainRenames(Mutant, breaks="RUN.2"):
    def begin_run(self, new: NewRun) -> None:
        super().begin_run(new)
        if new.name is not None:
            self._entry(new.id).run = replace(self._entry(new.id).run, name=new.name)


class ChosenIdIsIgnored(Front, breaks="RUN.3"):
    def ensure_run(self, experiment_id: str | None = None, *, run_id: str | None = None, **given: Any) -> str:
        known = run_id if run_id in self.database.runs else None
        return self.store.ensure_run(experiment_id, run_id=known, **given)


class OtherExperimentIsIgnored(Mutant, breaks="RUN.5"):
    def begin_run(self, new: NewRun) -> None:
        super().begin_run(replace(new, experiment_id=None) if new.id in self.database.runs else new)


class ResumeForgets(Mutant, breaks="RUN.6"):
    def reopen_run(self, run_id: str) -> None:
        super().reopen_run(run_id)
        self._entry(run_id).series.clear()


class ResumeKeepsTheEndTime(Mutant, breaks="RUN.6"):
    def reopen_run(self, run_id: str) -> None:
        end_time = self._entry(run_id).run.end_time
        super().reopen_run(run_id)
        self._entry(run_id).run = replace(self._entry(run_id).run, end_time=end_time)


class ParentIsNotChecked(Mutant, breaks="RUN.7"):
    def insert_run(self, new: NewRun) -> bool:
        is_known = new.parent_run_id in self.database.runs
        return super().insert_run(new if is_known else replace(new, parent_run_id=None))


class RunIdsAreTheSecond(Front, breaks="RUN.1"):
    def ensure_run(self, experiment_id: str | None = None, *, run_id: str | None = None, **given: Any) -> str:
        return self.store.ensure_run(experiment_id, run_id=run_id or time.strftime("%Y%m%d-%H%M%S"), **given)


class RunIdsFollowTheSeed(Front, breaks="RUN.1"):
    def ensure_run(self, experiment_id: str | None = None, *, run_id: str | None = None, **given: Any) -> str:
        seeded = random.Random(42).getrandbits(32)
        return self.store.ensure_run(experiment_id, run_id=run_id or f"{seeded:08x}", **given)


class RunsWithoutAnExperimentGoToTheDefault(Front, breaks="RUN.4"):
    def ensure_run(self, experiment_id: str | None = None, *, run_id: str | None = None, **given: Any) -> str:
        if experiment_id is None and run_id not in self.database.runs:
            experiment_id = self.store.get_or_create_experiment("Default")
        return self.store.ensure_run(experiment_id, run_id=run_id, **given)


class UnknownExperimentIsMade(Mutant, breaks="RUN.4"):
    def insert_run(self, new: NewRun) -> bool:
        experiment_id = new.require_experiment()
        if experiment_id not in self.database.experiments:
            made = self.database.experiments[self.get_or_create_experiment(f"experiment {experiment_id}")]
            self.database.experiments[experiment_id] = replace(made, id=experiment_id)
        return super().insert_run(new)


class StartTimesLoseTheirZone(Front, breaks="RUN.8"):
    def ensure_run(self, experiment_id: str | None = None, *, start_time: datetime | None = None, **given: Any) -> str:
        wall = start_time and start_time.replace(tzinfo=UTC)
        return self.store.ensure_run(experiment_id, start_time=wall, **given)


class StartTimesAreWholeSeconds(Mutant, breaks="RUN.8"):
    def insert_run(self, new: NewRun) -> bool:
        return super().insert_run(replace(new, start_us=new.start_us and new.start_us // 1_000_000 * 1_000_000))


class TagsBecomeText(Front, breaks="RUN.8"):
    def ensure_run(
        self, experiment_id: str | None = None, *, tags: Mapping[str, str] | None = None, **given: Any
    ) -> str:
        texts = {key: str(value) for key, value in (tags or {}).items()}
        return self.store.ensure_run(experiment_id, tags=texts, **given)
