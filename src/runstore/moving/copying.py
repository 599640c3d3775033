"""Copying runs from one store into another: any to any."""

from collections.abc import Iterator, Sequence
from functools import partial

from runstore.backend import BackendStore
from runstore.model import Artifact, Experiment, Run, SeriesSummary
from runstore.moving.arriving import ArrivingFile, ArrivingRun
from runstore.moving.bringing import bring
from runstore.moving.report import Progress, Report
from runstore.moving.selecting import Selection, pieces_of
from runstore.protocol import RunReader
from runstore.series import Columns, Series


def copy(
    source: RunReader,
    target: BackendStore,
    selection: Selection | None = None,
    *,
    is_thorough: bool = False,
    told: Progress | None = None,
) -> Report:
    """Copies runs with all that they have: config, points, files, tags, notes, children. What is there is not sent again.

    Runs that go on are copied as they stand; the next copy brings what is new.

    Args:
        source: the store to read.
        target: the store to write, opened without a recorder: ``open_store(url, durable=False)``.
        selection: which runs; by default all, and experiments without runs as well.
        is_thorough: as for :func:`bring`.
        told: who is told how it goes.

    Raises:
        QueryError: the filter cannot be understood.
        StoreUnavailableError, StoreFailureError: one of the stores cannot go on. What was copied is there, and the same
            call again brings the rest.
    """
    selection = selection or Selection()
    selection.count(source)
    report = bring(target, leaving(source, selection), is_thorough=is_thorough, told=told)
    for experiment in selection.experiments(source):
        # One with runs came with them, or was deleted in the target with all of them, and stays so.
        if not Selection(experiment_id=experiment.id).count(source):
            target.get_or_create_experiment(experiment.name, description=experiment.description)
    return report


def leaving(source: RunReader, selection: Selection) -> Iterator[ArrivingRun]:
    """The runs of a store, as they arrive in another."""
    experiments: dict[str, Experiment] = {}
    for runs in selection.groups(source):
        ids = [run.id for run in runs]
        configs, summaries = source.get_configs(ids), source.get_summaries_of(ids)
        for run in runs:
            if run.id not in configs or run.id not in summaries:  # it was deleted in between
                continue
            of_run = summaries[run.id]
            if run.experiment_id not in experiments:
                experiments[run.experiment_id] = source.get_experiment(run.experiment_id)
            experiment = experiments[run.experiment_id]
            yield ArrivingRun(
                experiment=experiment.name,
                description=experiment.description,
                run=run,
                config=configs[run.id],
                pieces=partial(_pieces, source, run, of_run),
                files=partial(_files, source, run),
                summaries=partial(tuple, of_run),
            )


def _pieces(source: RunReader, run: Run, summaries: Sequence[SeriesSummary]) -> Iterator[tuple[Series, Columns]]:
    for summary in summaries:
        for history in pieces_of(source, run.id, summary):
            series = summary.name, str(summary.dataset_type)
            yield series, Columns(history.steps, history.values, history.logged_at_us)


def _files(source: RunReader, run: Run) -> Iterator[ArrivingFile]:
    for artifact in source.list_artifacts(run.id):
        yield _file(source, artifact)


def _file(source: RunReader, artifact: Artifact) -> ArrivingFile:
    return ArrivingFile(
        name=artifact.name,
        artifact_type=artifact.artifact_type,
        metadata=artifact.metadata,
        created_at=artifact.created_at,
        open=partial(source.open_artifact, artifact.run_id, artifact.name) if artifact.is_stored else None,
        uri=artifact.uri,
        sha256=artifact.sha256,
        size=artifact.size,
        now=partial(_file_now, source, artifact),
    )


def _file_now(source: RunReader, artifact: Artifact) -> ArrivingFile | None:
    """A program that goes on may log another file under the same name, as its newest checkpoint."""
    found = [each for each in source.list_artifacts(artifact.run_id) if each.name == artifact.name]
    return _file(source, found[0]) if found else None
