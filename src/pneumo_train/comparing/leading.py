"""Trains what a store does not hold yet of a comparison; stopped at any time, it goes on with the next call."""

import dataclasses
import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from os import PathLike
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pneumo_train.centralized import CentralizedTrainer
from pneumo_train.comparing.kept import COMPARISON, ROW, evaluation_of, find_comparison, keep_plan
from pneumo_train.comparing.plan import CENTRALIZED, FEDERATION, Task, epochs_of, tasks_of
from pneumo_train.comparing.table import BEST_SITE, comparison_table
from pneumo_train.comparing.telling import as_json, columns_of, picture_of
from pneumo_train.config.federation import FederationConfig
from pneumo_train.config.monitored import VALIDATED, require_logged
from pneumo_train.config.settings import TrainConfig, as_dict
from pneumo_train.errors import DataError, DivergedError, FederationError
from pneumo_train.examining.leading import evaluate_run
from pneumo_train.federated import PACKAGES, FederatedTrainer, require_site_column, require_workers
from pneumo_train.fitting.alone import alone_in
from pneumo_train.fitting.machine import require_gpu_device
from pneumo_train.fitting.outputs import require_writable
from pneumo_train.preparing.reading import Reading, read_source
from pneumo_train.studying.again import Tell, remove_leftovers, trained
from pneumo_train.studying.kept import DIGEST, NAME, PURPOSE, SEED
from runstore import DatasetType, MetricPoint, RunStatus, Store, media
from runstore.local.whole_files import write_whole
from runstore.provenance import gather_provenance
from runstore.training import RunSession

_ROWS = {FEDERATION: "federation", CENTRALIZED: "centralized", BEST_SITE: "best_site"}
"""Whose AUROC is a metric of the comparison's run, and what it is called there."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Comparison:
    """What is compared, and where.

    Attributes:
        store: holds it, or will; it stays the caller's.
        name: of its run.
        experiment: under which it is kept.
        source_path: a directory or a zip with a metadata CSV and images.
        config: of every training, but for what the comparison decides: the seed, the split, the epochs, no early stopping.
        federation: the course of the federation.
        seeds: each row is trained once with each; each is there once.
        checkpoint_dir: where checkpoints lie as long as their row is trained, and the split files.
        logs_dir: where the metrics files go.
        tell: is told each step in a line.
        progress: show progress bars.
        side_by_side: how many clients work at once; as many as there are processors when not given.
    """

    store: Store
    name: str
    experiment: str
    source_path: str | PathLike[str]
    config: TrainConfig
    federation: FederationConfig
    seeds: Sequence[int]
    checkpoint_dir: Path
    logs_dir: Path
    tell: Tell
    progress: bool = False
    side_by_side: int | None = None

    def run(self) -> tuple[str, ...]:
        """Trains each row that no completed run stands for, in order; the names of those that did not come to their end.

        Raises:
            InUseError: another process trains this comparison.
            PneumoTrainError: a mistake to mend: the source, the data, the configuration, the machine.
            RunStoreError: a mistake about the store.
            KeyboardInterrupt: Ctrl-C, after the row and the comparison were ended as interrupted.
        """
        require_logged(self.config.training.monitor, VALIDATED)
        require_site_column(self.federation, self.config)
        require_workers(self.side_by_side)
        require_gpu_device(self.config)
        require_writable(self.checkpoint_dir, "checkpoint_dir")
        require_writable(self.logs_dir, "logs_dir")
        with self._alone():
            return self._run()

    def _alone(self) -> AbstractContextManager[None]:
        """Nobody else trains this comparison with these checkpoints as long as the block lasts: each row would be trained twice, or badly."""
        named = hashlib.sha256(f"{self.experiment}\n{self.name}".encode()).hexdigest()[:16]
        return alone_in(
            self.checkpoint_dir / "comparisons" / named,
            self.name,
            refusal=f"name = {self.name!r}: another process trains this comparison, with its checkpoints in {self.checkpoint_dir}; wait for "
            "its end, or give another name or another checkpoint_dir",
        )

    def _run(self) -> tuple[str, ...]:
        with read_source(self.source_path, self.config, is_split=False) as whole:
            divided = whole.divided()
            tasks = tasks_of(whole, divided, self.federation, self.seeds)
        kept = find_comparison(self.store, self.experiment, self.name)
        if kept is not None:
            remove_leftovers(kept, self.checkpoint_dir)
        session = RunSession(
            self.store,
            experiment=self.experiment,
            run_id=None if kept is None else kept.run_id,
            name=self.name,
            source_path=os.fspath(self.source_path),
            tags={PURPOSE: COMPARISON},
            provenance=gather_provenance(packages=PACKAGES, seed=self.config.seed),
        )
        session.begin(resume=kept is not None)
        try:
            session.log_config(self._described(divided))
            keep_plan(session, self._plan(tasks))
            done = {} if kept is None else {digest: run.id for digest, run in kept.completed.items()}
            cut_off: Mapping[str, Sequence[str]] = {} if kept is None else kept.cut_off
            failed = tuple(self._led(session.run_id, tasks, done, cut_off))
            self._keep_table(session)
            session.end(RunStatus.FAILED if failed else RunStatus.COMPLETED)
        except BaseException as error:
            session.end_with(error)
            raise
        return failed

    def _led(
        self, parent: str, tasks: tuple[Task, ...], done: dict[str, str], cut_off: Mapping[str, Sequence[str]]
    ) -> Iterator[str]:
        for number, task in enumerate(tasks, start=1):
            called = f"{number} of {len(tasks)}: {task.name}"
            if task.refusal:
                self.tell(f"{called}: {task.refusal}")
                continue
            try:
                if task.digest in done:
                    self.tell(f"{called}: is kept as {done[task.digest]}")
                else:
                    self.tell(called)
                    done[task.digest] = self._trained(task, parent, cut_off.get(task.digest, ()))
                self._require_test(task, done[task.digest])
            except (DivergedError, FederationError) as error:
                self.tell(f"{called}: {error}")
                yield task.name

    def _trained(self, task: Task, parent: str, cut_off: Sequence[str]) -> str:
        """The run of a row, trained now or gone on with."""
        config = self._with_split(task)
        where: dict[str, Any] = {
            "checkpoint_dir": self.checkpoint_dir,
            "logs_dir": self.logs_dir,
            "store": self.store,
            "config": config,
            "progress": self.progress,
        }
        trainer = (
            FederatedTrainer(**where, federation=self.federation, side_by_side=self.side_by_side)
            if task.row == FEDERATION
            else CentralizedTrainer(**where)
        )
        train = partial(
            trainer.train,
            self.source_path,
            self.experiment,
            name=task.name,
            parent_run_id=parent,
            tags={PURPOSE: ROW, DIGEST: task.digest, NAME: task.row, SEED: str(task.seed)},
        )
        run_id: str = trained(train, self.checkpoint_dir, cut_off, self.tell)["run_id"]
        return run_id

    def _with_split(self, task: Task) -> TrainConfig:
        """The configuration with the split's file, which is written if it is not there."""
        path = task.split_file(self.checkpoint_dir.absolute() / "splits")
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, task.split.encode())
        return dataclasses.replace(task.config, data=dataclasses.replace(task.config.data, split_file=str(path)))

    def _require_test(self, task: Task, run_id: str) -> None:
        """Looks at the test part once more where a call was stopped between a training's end and its look."""
        if evaluation_of(self.store, run_id) is None:
            self._with_split(task)
            evaluate_run(self.store, run_id, self.source_path, part="test")

    def _plan(self, tasks: tuple[Task, ...]) -> dict[str, Any]:
        return {
            "version": 1,
            "federation": dataclasses.asdict(self.federation),
            "epochs": epochs_of(self.federation),
            "seeds": list(self.seeds),
            "draws": self.config.evaluation.bootstrap_draws,
            "seed": self.config.seed,
            "rows": [
                {
                    "row": task.row,
                    "seed": task.seed,
                    "digest": task.digest,
                    "refusal": task.refusal,
                    **task.learns_from,
                }
                for task in tasks
            ],
        }

    def _described(self, divided: Reading) -> dict[str, Any]:
        return {
            **as_dict(self.config),
            "federation": dataclasses.asdict(self.federation),
            "seeds": list(self.seeds),
            "epochs": epochs_of(self.federation),
            "source": {"path": os.fspath(divided.source.path), "csv": divided.source.table_name},
            "split": {"hash": divided.split.digest(), **divided.split.describe()},
        }

    def _keep_table(self, session: RunSession) -> None:
        kept = find_comparison(self.store, self.experiment, self.name)
        if kept is None:
            raise DataError(f"{self.name!r}: the store does not hold the comparison; look at the warnings above")
        table = comparison_table(self.store, self.name, kept)
        with TemporaryDirectory() as folder:
            path = Path(folder) / "table.json"
            path.write_text(as_json(table), encoding="utf-8")
            session.log_artifact(path, name="comparison/table.json", artifact_type="comparison")
        session.log_media(media.table("comparison/table", columns_of(table)))
        session.log_media(media.figure("comparison/auroc", picture_of(table)))
        session.log_metrics(_points(table))


def _points(table: Mapping[str, Any]) -> Iterator[MetricPoint]:
    """The means of the seeds, by which comparisons can be searched for."""
    for part, dataset_type in (("test", DatasetType.TEST), ("validation", DatasetType.VALIDATION)):
        for row in table["parts"][part]["rows"]:
            if (called := _ROWS.get(row["row"])) is None:
                continue
            less = row["federation_less_this"] or {}
            values = {
                f"{called}_auroc{end}": row["mean"]["auroc"][key]
                for end, key in (("", "value"), ("_low", "low"), ("_high", "high"))
            }
            values |= {
                f"federation_less_{called}{end}": less.get(key)
                for end, key in (
                    ("", "difference"),
                    ("_low", "low_by_patient"),
                    ("_high", "high_by_patient"),
                    ("_p", "p"),
                )
            }
            for name, value in values.items():
                if value is not None:
                    yield MetricPoint(name=name, dataset_type=dataset_type, value=value, step=0)
