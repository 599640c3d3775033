"""The folder ``mlruns`` of MLflow 0.9 to 3: what its file store writes, read without MLflow.

::

    mlruns/<experiment id>/meta.yaml, tags/<key>
                           <run id>/meta.yaml, params/<key>, tags/<key>, metrics/<key>, artifacts/…

A ``/`` in a key is a folder. A line of a metric is ``milliseconds value step``, followed by a data set's name and digest
in newer releases.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from runstore.errors import SourceError
from runstore.importing.facts import series_of
from runstore.importing.folding import SeriesFolding, fit_name, folded, step_rule
from runstore.importing.meta_yaml import read_meta
from runstore.importing.metric_files import MetricFile
from runstore.importing.mlflow_facts import (
    FORMAT,
    Facts,
    Model,
    config_of,
    description_of,
    prefixes_of,
    run_of,
)
from runstore.importing.mlflow_folders import ARTIFACTS
from runstore.importing.report import Findings, RunFindings, Told
from runstore.importing.source import Source, arriving_files, plain_files, text_of
from runstore.model import to_microseconds
from runstore.moving import ArrivingFile, ArrivingRun
from runstore.series import Columns, Series

_META: Final = "meta.yaml"
_NO_RUNS: Final = frozenset({"tags", "datasets", "traces", "models", ".trash"})


class _Experiment(NamedTuple):
    folder: Path
    id: str
    name: str
    description: str | None
    is_deleted: bool
    models: dict[str, list[Model]]


class MlrunsFolder(Source):
    """A folder with experiments, or one experiment's."""

    format = FORMAT

    def __init__(self, folder: Path) -> None:
        """Reads nothing yet."""
        self._folder = folder
        self.shown = str(folder.absolute())

    @classmethod
    def at(cls, folder: Path) -> "MlrunsFolder | None":
        """The source, if a folder is one."""
        is_one = folder.is_dir() and any(_is_experiment(each) for each in (folder, *_subfolders(folder)))
        return cls(folder) if is_one else None

    def count(self) -> int:
        """The folders of runs."""
        folders = [self._folder] if _is_experiment(self._folder) else _subfolders(self._folder)
        return sum(len(_runs_in(each)) for each in folders if each.name not in _NO_RUNS)

    def runs(self, findings: Findings) -> Iterator[ArrivingRun]:
        """Each run that is not deleted."""
        folders = [self._folder] if _is_experiment(self._folder) else _subfolders(self._folder)
        experiments = [experiment for folder in folders if (experiment := _experiment(folder, findings)) is not None]
        runs = {
            folder.name: (one, folder) for one in experiments if not one.is_deleted for folder in _runs_in(one.folder)
        }
        for one in experiments:
            if one.is_deleted:
                count = len(_runs_in(one.folder))
                findings.tell(Told.DELETED, f"the experiment {one.name!r} was deleted", run=one.id, count=count)
        for experiment, folder in runs.values():
            found = findings.of(folder.name)
            try:
                arriving = self._run(experiment, folder, found, runs)
            except SourceError as error:
                found.tell(Told.UNREADABLE, str(error))
            else:
                if arriving is not None:
                    yield arriving

    def _run(
        self, experiment: _Experiment, folder: Path, found: RunFindings, known: Mapping[str, object]
    ) -> ArrivingRun | None:
        meta = read_meta(folder / _META, "start_time", "status")
        run_id = str(meta.get("run_uuid") or meta.get("run_id") or folder.name)
        if meta.get("lifecycle_stage") == "deleted":
            found.tell(Told.DELETED, "the run was deleted")
            return None
        metrics = {name: MetricFile.of(path, name, found) for name, path in plain_files(folder / "metrics", found)}
        metrics = {name: each for name, each in metrics.items() if each.count}
        facts = Facts(
            source=self.shown,
            run_id=run_id,
            name=_word(meta.get("run_name") or meta.get("name")),
            status=meta.get("status"),
            start_time=meta.get("start_time"),
            end_time=meta.get("end_time"),
            user=meta.get("user_id"),
            artifact_uri=meta.get("artifact_uri"),
            experiment=experiment.name,
            experiment_id=experiment.id,
            tags=_texts(folder / "tags", found),
            last_point=max((each.last_time for each in metrics.values()), default=None),
        )
        run = run_of(facts, found, is_known=known)
        series = series_of(metrics, found)
        start_us = to_microseconds(run.start_time)

        def pieces() -> Iterator[tuple[Series, Columns]]:
            for key in sorted(series, key=series.__getitem__):
                metric = metrics[key]
                rule = step_rule(key, found, count=metric.count, lowest=metric.lowest, highest=metric.highest)
                for columns in folded(metric.chunks(), SeriesFolding(key, rule, found, instead_us=start_us)):
                    yield series[key], columns

        return ArrivingRun(
            experiment=experiment.name,
            description=experiment.description,
            run=run,
            config=config_of(_texts(folder / "params", found).items(), found),
            pieces=pieces,
            files=lambda: _files(folder, experiment.models.get(run_id, []), found),
        )


def _subfolders(folder: Path) -> list[Path]:
    try:
        return sorted(each for each in folder.iterdir() if each.is_dir() and not each.is_symlink())
    except OSError as error:
        raise SourceError(f"{folder}: cannot be listed: {error.strerror or error}") from error


def _is_experiment(folder: Path) -> bool:
    """Whether a folder has the file of an experiment: of its lines one begins so, whatever else is wrong with it."""
    try:
        with (folder / _META).open("rb") as file:
            head = file.read(4096)
    except OSError:
        return False
    return b"experiment_id:" in head and b"artifact_location:" in head


def _experiment(folder: Path, findings: Findings) -> _Experiment | None:
    if folder.name in _NO_RUNS or not (folder / _META).exists():
        return None
    found = findings.of(folder.name)
    try:
        meta = read_meta(folder / _META, "name")
        tags = _texts(folder / "tags", found)
    except SourceError as error:
        found.tell(Told.UNREADABLE, str(error))
        return None
    name = _word(meta.get("name")) or folder.name
    workspace = _word(meta.get("workspace"))
    if workspace and workspace != "default":
        name = f"{workspace}/{name}"
    return _Experiment(
        folder=folder,
        id=folder.name,
        name=fit_name(name, found, what="the experiment"),
        description=description_of(tags, found),
        is_deleted=meta.get("lifecycle_stage") == "deleted",
        models=_models(folder / "models", found),
    )


def _models(folder: Path, found: RunFindings) -> dict[str, list[Model]]:
    """The models of MLflow 3 by the runs that have logged them, in the order in which they were."""
    models: dict[str, list[tuple[int, Model]]] = {}
    for each in _subfolders(folder) if folder.is_dir() else []:
        if not (each / _META).exists():
            continue
        try:
            meta = read_meta(each / _META, "name")
        except SourceError as error:
            found.tell(Told.FILE_LEFT_OUT, f"the model's files are not brought: {error}", key=f"models/{each.name}")
            continue
        created = meta.get("creation_timestamp")
        model = Model(each.name, str(meta["name"]), str(each / ARTIFACTS))
        of_run = models.setdefault(str(meta.get("source_run_id")), [])
        of_run.append((created if isinstance(created, int) else 0, model))
    return {run_id: [model for _, model in sorted(several)] for run_id, several in models.items()}


def _files(folder: Path, models: Sequence[Model], found: RunFindings) -> Iterator[ArrivingFile]:
    yield from arriving_files(folder / ARTIFACTS, found)
    for model, prefix in zip(models, prefixes_of(models), strict=True):
        yield from arriving_files(Path(model.location), found, prefix=prefix, artifact_type="model")


def _runs_in(experiment: Path) -> list[Path]:
    """The folders of an experiment's runs; MLflow with a database keeps the artifacts alone in such a folder."""
    folders = _subfolders(experiment)
    return [each for each in folders if each.name not in _NO_RUNS and (each / _META).exists()]


def _texts(folder: Path, found: RunFindings) -> dict[str, str]:
    texts = {}
    for name, path in plain_files(folder, found):
        try:
            texts[name] = text_of(path)
        except SourceError as error:
            found.tell(Told.LEFT_OUT, str(error), key=name)
    return texts


def _word(value: Any) -> str | None:
    return str(value) if value is not None and value != "" else None
