"""Planted bugs in experiments and runs (EXP, RUN)."""

import random
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from kit.mutants.base import Mutant
from runstore.errors import ConflictError
from runstore.model import Experiment, Page
from runstore.values.ids import experiment_id_of


class RaceInGetOrCreate(Mutant, breaks="EXP.2"):
    def get_or_create_experiment(self, name: str, *, description: str | None = None) -> str:
        if experiment_id_of(name) not in self.database.experiments:
            time.sleep(0.005)
            if experiment_id_of(name) in self.database.experiments:
                raise ConflictError(f"experiment {name!r} already exists; choose another name")
        return super().get_or_create_experiment(name, description=description)


class RaceInEnsureRun(Mutant, breaks="RUN.9"):
    def ensure_run(self, experiment_id: str | None = None, *, run_id: str | None = None, **given: Any) -> str:
        is_new = run_id is not None and run_id not in self.database.runs
        time.sleep(0.005)
        if is_new and run_id in self.database.runs:
            raise ConflictError(f"run {run_id!r} already exists; choose another id")
        return super().ensure_run(experiment_id, run_id=run_id, **given)


class ExperimentIdsAreCounted(Mutant, breaks="EXP.1"):
    def get_or_create_experiment(self, name: str, *, description: str | None = None) -> str:
        super().get_or_create_experiment(name, description=description)
        experiments = self.database.experiments
        found = next(each for each in experiments.values() if each.name == name)
        counted = found.id if found.id.isdigit() else str(len(experiments))
        experiments[counted] = replace(found, id=counted)
        return counted


class TrailingSpacesAreStripped(Mutant, breaks="EXP.3"):
    def get_or_create_experiment(self, name: str, *, description: str | None = None) -> str:
        return super().get_or_create_experiment(name.strip(" ") or name, description=description)


class LastDescriptionWins(Mutant, breaks="EXP.4"):
    def get_or_create_experiment(self, name: str, *, description: str | None = None) -> str:
        found = super().get_or_create_experiment(name, description=description)
        self.database.experiments[found] = replace(self.database.experiments[found], description=description)
        return found


class ExperimentsAreListedAsTheyCame(Mutant, breaks="EXP.5"):
    def list_experiments(self, *, limit: int = 100, cursor: str | None = None) -> Page[Experiment]:
        begin = int(cursor or 0)
        found = list(self.database.experiments.values())
        rest = begin + limit
        return Page(items=tuple(found[begin:rest]), next_cursor=str(rest) if len(found) > rest else None)


class EnsuringAgainRenames(Mutant, breaks="RUN.2"):
    def ensure_run(self, experiment_id: str | None = None, *, name: str | None = None, **given: Any) -> str:
        run_id = super().ensure_run(experiment_id, name=name, **given)
        if name is not None:
            self._entry(run_id).run = replace(self._entry(run_id).run, name=name)
        return run_id


class ChosenIdIsIgnored(Mutant, breaks="RUN.3"):
    def ensure_run(self, experiment_id: str | None = None, *, run_id: str | None = None, **given: Any) -> str:
        known = run_id if run_id in self.database.runs else None
        return super().ensure_run(experiment_id, run_id=known, **given)


class OtherExperimentIsIgnored(Mutant, breaks="RUN.5"):
    def ensure_run(self, experiment_id: str | None = None, *, run_id: str | None = None, **given: Any) -> str:
        known = run_id in self.database.runs
        return super().ensure_run(None if known else experiment_id, run_id=run_id, **given)


class ResumeForgets(Mutant, breaks="RUN.6"):
    def ensure_run(self, experiment_id: str | None = None, *, resume: bool = False, **given: Any) -> str:
        run_id = super().ensure_run(experiment_id, resume=resume, **given)
        if resume:
            self._entry(run_id).series.clear()
        return run_id


class ResumeKeepsTheEndTime(Mutant, breaks="RUN.6"):
    def ensure_run(self, experiment_id: str | None = None, *, run_id: str | None = None, **given: Any) -> str:
        before = self.database.runs[run_id].run if run_id in self.database.runs else None
        found = super().ensure_run(experiment_id, run_id=run_id, **given)
        if before and before.end_time:
            self._entry(found).run = replace(self._entry(found).run, end_time=before.end_time)
        return found


class ParentIsNotChecked(Mutant, breaks="RUN.7"):
    def ensure_run(self, experiment_id: str | None = None, *, parent_run_id: str | None = None, **given: Any) -> str:
        return super().ensure_run(
            experiment_id, parent_run_id=parent_run_id if parent_run_id in self.database.runs else None, **given
        )


class RunIdsAreTheSecond(Mutant, breaks="RUN.1"):
    def ensure_run(self, experiment_id: str | None = None, *, run_id: str | None = None, **given: Any) -> str:
        return super().ensure_run(experiment_id, run_id=run_id or time.strftime("%Y%m%d-%H%M%S"), **given)


class RunIdsFollowTheSeed(Mutant, breaks="RUN.1"):
    def ensure_run(self, experiment_id: str | None = None, *, run_id: str | None = None, **given: Any) -> str:
        seeded = random.Random(42).getrandbits(32)
        return super().ensure_run(experiment_id, run_id=run_id or f"{seeded:08x}", **given)


class RunsWithoutAnExperimentGoToTheDefault(Mutant, breaks="RUN.4"):
    def ensure_run(self, experiment_id: str | None = None, *, run_id: str | None = None, **given: Any) -> str:
        if experiment_id is None and run_id not in self.database.runs:
            experiment_id = self.get_or_create_experiment("Default")
        return super().ensure_run(experiment_id, run_id=run_id, **given)


class UnknownExperimentIsMade(Mutant, breaks="RUN.4"):
    def ensure_run(self, experiment_id: str | None = None, **given: Any) -> str:
        if experiment_id is not None and experiment_id not in self.database.experiments:
            made = self.database.experiments[self.get_or_create_experiment(f"experiment {experiment_id}")]
            self.database.experiments[experiment_id] = replace(made, id=experiment_id)
        return super().ensure_run(experiment_id, **given)


class StartTimesLoseTheirZone(Mutant, breaks="RUN.8"):
    def ensure_run(self, experiment_id: str | None = None, *, start_time: datetime | None = None, **given: Any) -> str:
        wall = start_time and start_time.replace(tzinfo=UTC)
        return super().ensure_run(experiment_id, start_time=wall, **given)


class TagsBecomeText(Mutant, breaks="RUN.8"):
    def ensure_run(
        self, experiment_id: str | None = None, *, tags: Mapping[str, str] | None = None, **given: Any
    ) -> str:
        texts = {key: str(value) for key, value in (tags or {}).items()}
        return super().ensure_run(experiment_id, tags=texts, **given)
