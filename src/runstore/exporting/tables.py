"""What every form of an export has: rows of experiments, runs, configurations and artifacts, and points."""

from abc import abstractmethod
from typing import Any, Final

from runstore.exporting.written import Written
from runstore.model import Run, to_microseconds
from runstore.moving import ArrivingFile, ArrivingRun
from runstore.moving.layout import (
    ARTIFACT_COLUMNS,
    ARTIFACTS,
    CONFIG_COLUMNS,
    CONFIGS,
    EXPERIMENT_COLUMNS,
    EXPERIMENTS,
    RUN_COLUMNS,
    RUNS,
    run_row,
)
from runstore.series import Columns, Series
from runstore.values import ConfigDocument

ROW_TABLES: Final = {
    EXPERIMENTS: EXPERIMENT_COLUMNS,
    RUNS: RUN_COLUMNS,
    CONFIGS: CONFIG_COLUMNS,
    ARTIFACTS: ARTIFACT_COLUMNS,
}
"""The tables beside that of the points, with their columns."""


class Tables(Written):
    """The tables of one export."""

    def __init__(self) -> None:
        """Nothing is written yet."""
        super().__init__()
        self._experiments: dict[str, tuple[str | None, int]] = {}

    @property
    def experiments(self) -> int:
        """How many are written, with runs and without."""
        return len(self._experiments)

    def take_experiment(self, name: str, description: str | None) -> None:
        """Takes in an experiment that has no run here, unless a run of it was written."""
        self._experiments.setdefault(name, (description, 0))

    def write_run(self, arriving: ArrivingRun) -> int:
        """Writes a run, its configuration and its points; gives how many points there were."""
        run_id, before = arriving.run.id, self.points
        self.runs += 1
        _, runs = self._experiments.get(arriving.experiment, (None, 0))
        self._experiments[arriving.experiment] = arriving.description, runs + 1
        self.add(RUNS, run_row(arriving))
        for leaf in ConfigDocument.checked(arriving.config).leaves:
            self.add(CONFIGS, {"run_id": run_id, **leaf._asdict()})
        for series, piece in arriving.pieces():
            self.add_points(run_id, series, piece)
            self.points += len(piece.steps)
        return self.points - before

    def write_artifact(self, run: Run, file: ArrivingFile, kept_at: str | None) -> None:
        """Writes the record of a file; where kept bytes lie in the store is nobody's business elsewhere."""
        row = {
            "run_id": run.id,
            "name": file.name,
            "type": file.artifact_type,
            "metadata": ConfigDocument.checked(file.metadata, "metadata").text,
            "created_at": to_microseconds(file.created_at or run.start_time),
            "is_stored": file.open is not None,
            "uri": file.uri if file.open is None else None,
            "sha256": file.sha256,
            "size": file.size,
            "file": kept_at,
        }
        self.add(ARTIFACTS, row)
        self.artifacts += 1

    def finish(self) -> None:
        """Writes the experiments, of which all is known by now, and what waits."""
        for name, (description, runs) in self._experiments.items():
            self.add(EXPERIMENTS, {"name": name, "description": description, "runs": runs})
        self.flush()

    @abstractmethod
    def add(self, table: str, row: dict[str, Any]) -> None:
        """Takes in a row of one of :data:`ROW_TABLES`; its times in microseconds since 1970."""

    @abstractmethod
    def add_points(self, run_id: str, series: Series, piece: Columns) -> None:
        """Takes in points of one series."""

    @abstractmethod
    def flush(self) -> None:
        """Writes what waits."""
