"""Whether the rows that a store holds of a study are of the films that are given now: a path says nothing of what lies there."""

import hashlib
import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

from pneumo_train.config.data import DataConfig
from pneumo_train.errors import DataError
from pneumo_train.images.films import content_of, digest_of, in_threads
from pneumo_train.preparing.reading import Reading, read_source
from pneumo_train.samples import Sample
from pneumo_train.studying.plan import Task
from runstore import Run, RunReader


def require_same_data(
    reader: RunReader, tasks: Sequence[Task], completed: Mapping[str, Run], source_path: str | PathLike[str]
) -> None:
    """Refuses a source that is not the one of the rows that are kept: one table must not have rows of two.

    Every file is read and hashed once.

    Args:
        reader: holds the runs.
        tasks: all of the study.
        completed: by a task's digest, the run that stands for it.
        source_path: a directory or a zip with a metadata CSV and images.

    Raises:
        SourceError: the source holds no table or no images.
        DataError: the table or a film cannot be read; or a run is of another split, or of other films, labels or patients.
    """
    together: dict[DataConfig, list[Task]] = defaultdict(list)
    for task in tasks:
        if task.digest in completed:
            together[task.config.data].append(task)
    hashes: dict[Path, str] = {}
    for alike in together.values():
        with read_source(source_path, alike[0].config, is_split=False) as whole:
            divided: dict[int, Reading] = {}
            for task in alike:
                if task.seed not in divided:
                    divided[task.seed] = replace(whole, config=task.config).divided()
                _require(reader, task, completed[task.digest], divided[task.seed], hashes)


def _require(reader: RunReader, task: Task, run: Run, reading: Reading, hashes: dict[Path, str]) -> None:
    kept, split = reader.get_config(run.id), reading.split
    # A row that looks again has looked at the validation part alone.
    samples = split.validation if task.of is not None else (*split.train, *split.validation)
    if _hash_of(kept, "split") not in {None, split.digest()}:
        what = "another split of the films"
    elif (known := _hash_of(kept, "data_set")) is not None and known != _data_hash(samples, hashes):
        what = "other films, labels or patients"
    else:
        return
    source = f", {run.source_path}," if run.source_path else ""
    raise DataError(
        f"{os.fspath(reading.source.path)}: {task.name!r} is kept as {run.id}, of {what}; give the source that it had{source} and the "
        "data.… options, with files as they were, or another --experiment to begin anew"
    )


def _hash_of(kept: Mapping[str, Any], section: str) -> str | None:
    """A hash in the configuration that is kept with a run; ``None`` where it has none."""
    found = kept.get(section)
    return found.get("hash") if isinstance(found, Mapping) else None


def _data_hash(samples: Sequence[Sample], hashes: dict[Path, str]) -> str:
    """As a training makes it, of films that are not decoded for it."""
    fresh = [path for path in dict.fromkeys(sample.path for sample in samples) if path not in hashes]
    with in_threads(lambda index: _content_hash(fresh[index]), len(fresh)) as found:
        hashes.update(zip(fresh, found, strict=True))
    return digest_of(samples, [hashes[sample.path] for sample in samples])


def _content_hash(path: Path) -> str:
    try:
        return hashlib.sha256(content_of(path)).hexdigest()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error}); bring the film back") from error
