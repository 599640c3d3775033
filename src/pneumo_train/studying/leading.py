"""Runs what a store does not hold yet of a study; stopped at any time, it goes on with the next call."""

import os
from functools import partial
from os import PathLike
from pathlib import Path

from pneumo_train.centralized import PACKAGES, CentralizedTrainer
from pneumo_train.errors import DivergedError
from pneumo_train.studying.afterwards import look_again
from pneumo_train.studying.again import Tell, remove_leftovers, trained
from pneumo_train.studying.kept import DIGEST, NAME, PURPOSE, ROW, SEED, STUDY, TABLE, find_study
from pneumo_train.studying.plan import Task
from pneumo_train.studying.same_data import require_same_data
from runstore import RunStatus, Store
from runstore.provenance import gather_provenance
from runstore.training import RunSession


def run_study(  # noqa: PLR0913 - keyword-only
    store: Store,
    tasks: tuple[Task, ...],
    *,
    name: str,
    experiment: str,
    source_path: str | PathLike[str],
    checkpoint_dir: Path,
    logs_dir: Path,
    tell: Tell,
    progress: bool = False,
) -> tuple[str, ...]:
    """Runs each task that no completed run stands for, in order; the names of those that did not come to their end.

    Args:
        store: holds the study, or will; it stays the caller's.
        tasks: all of the study.
        name: of the study.
        experiment: under which it is kept.
        source_path: a directory or a zip with a metadata CSV and images.
        checkpoint_dir: where checkpoints lie as long as their row is trained; the best one is in the store then.
        logs_dir: where the metrics files go.
        tell: is told each step in a line.
        progress: show progress bars.

    Raises:
        PneumoTrainError: a mistake to mend: the source, the data, the configuration, the machine; or rows that are kept are of other data.
        RunStoreError: a mistake about the store.
        KeyboardInterrupt: Ctrl-C, after the row and the study were ended as interrupted.
    """
    kept = find_study(store, experiment, name)
    done = {} if kept is None else {digest: run.id for digest, run in kept.completed.items()}
    if kept is not None:
        require_same_data(store, tasks, kept.completed, source_path)
        remove_leftovers(kept, checkpoint_dir)
    session = RunSession(
        store,
        experiment=experiment,
        run_id=None if kept is None else kept.run_id,
        name=name,
        source_path=os.fspath(source_path),
        tags={PURPOSE: STUDY},
        provenance=gather_provenance(packages=PACKAGES),
    )
    session.begin(resume=kept is not None)
    failed: list[str] = []
    try:
        for number, task in enumerate(tasks, start=1):
            called = f"{number} of {len(tasks)}: {task.name}"
            if task.digest in done:
                tell(f"{called}: is kept as {done[task.digest]}")
            elif task.of is not None and task.of not in done:
                failed.append(task.name)
                tell(f"{called}: the row that it looks again with did not come to its end")
            else:
                tell(called)
                birth = {PURPOSE: ROW, DIGEST: task.digest, TABLE: task.table, NAME: task.row, SEED: str(task.seed)}
                try:
                    if task.of is None:
                        trainer = CentralizedTrainer(
                            checkpoint_dir=checkpoint_dir, logs_dir=logs_dir, store=store, config=task.config, progress=progress
                        )  # fmt: skip
                        train = partial(
                            trainer.train, source_path, experiment, name=task.name, parent_run_id=session.run_id, tags=birth
                        )  # fmt: skip
                        cut_off = () if kept is None else kept.cut_off.get(task.digest, ())
                        done[task.digest] = trained(train, checkpoint_dir, cut_off, tell).run_id
                    else:
                        done[task.digest] = look_again(
                            store,
                            task,
                            done[task.of],
                            source_path=source_path,
                            experiment=experiment,
                            parent_run_id=session.run_id,
                            tags=birth,
                        )
                except DivergedError as error:
                    failed.append(task.name)
                    tell(f"{called}: {error}")
        session.end(RunStatus.FAILED if failed else RunStatus.COMPLETED)
    except BaseException as error:
        session.end_with(error)
        raise
    return tuple(failed)
