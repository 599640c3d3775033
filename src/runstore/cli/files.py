"""The files of a run: how they are listed, a series of pictures in one line, and how they come out of the store."""

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Final

from runstore.cli.columns import config_texts
from runstore.cli.finding import find_files, find_run, open_artifact
from runstore.cli.tables import Column, print_facts, print_line, print_table
from runstore.local.files import copy_out
from runstore.media import MediaItem
from runstore.media.files import KEY
from runstore.model import Artifact
from runstore.opening.stores import open_reader

_MOST_VALUES: Final = 8
"""Of what is told of a file; ``--json`` has all of it."""

_LONGEST_VALUE: Final = 60
_THOUSAND: Final = 1000


def print_series_of_files(series: Mapping[str, Sequence[MediaItem]]) -> None:
    """A line for each name of pictures, tables, texts and histograms, however many steps it has."""
    if not series:
        return
    print_line("")
    print_table(
        [
            Column("media"),
            Column("kind", goes=2),
            Column("files", is_number=True),
            Column("steps", goes=1, is_number=True),
            Column("size", goes=3, is_number=True),
        ],
        [
            [
                name,
                ", ".join(sorted({item.kind for item in items})),
                str(len(items)),
                _steps([item.step for item in items if item.step is not None]),
                _size(sum(item.artifact.size or 0 for item in items)),
            ]
            for name, items in sorted(series.items())
        ],
    )


def print_artifacts(artifacts: Sequence[Artifact]) -> None:
    """A line for each other file, with what is told of it; where it lies only if the store does not keep its bytes."""
    if artifacts:
        print_line("")
        print_line("artifacts", bold=True)
        print_facts([[item.name, _described(item)] for item in artifacts], indent=2)


def fetch(  # noqa: PLR0913 - the command's options
    store: str | None, wanted: str, name: str, target: str | None, *, step: int | None, is_all: bool, overwrite: bool
) -> None:
    """Writes an artifact's bytes, or those of a series, to files that appear whole or not at all."""
    with open_reader(store) as reader:
        run_id = find_run(reader, wanted).id
        found = find_files(reader, run_id, name, step=step, is_all=is_all)
        folder = Path(target or PurePosixPath(name).name) if is_all else None
        for artifact in found:
            place = folder / PurePosixPath(artifact).name if folder else Path(target or _default_target(name, artifact))
            with open_artifact(reader, run_id, artifact) as source:
                copy_out(source, place, overwrite=overwrite)
            print_line(str(place))


def _default_target(name: str, artifact: str) -> str:
    """The artifact's last part, with the name before it if that is a step of a series: no two series share a file."""
    last = PurePosixPath(artifact).name
    return f"{PurePosixPath(name).name}-{last}" if artifact.startswith(f"{name}/") else last


def _described(item: Artifact) -> str:
    texts = config_texts({key: value for key, value in item.metadata.items() if key != KEY})
    told = [f"{key}={_short(value)}" for key, value in list(texts.items())[:_MOST_VALUES]]
    more = [f"and {len(texts) - _MOST_VALUES} more values"] if len(texts) > _MOST_VALUES else []
    size = [] if item.size is None else [_size(item.size)]
    place = "" if item.is_stored else f"\n{item.uri}"
    return ", ".join([item.artifact_type, *size, *told, *more]) + place


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"


def _steps(steps: Sequence[int]) -> str:
    if not steps:
        return ""
    return str(steps[0]) if steps[0] == steps[-1] else f"{steps[0]} to {steps[-1]}"


def _size(size: int) -> str:
    if size < _THOUSAND:
        return f"{size} bytes"
    number = float(size)
    for unit in ("kB", "MB", "GB"):
        number /= _THOUSAND
        if number < _THOUSAND:
            return f"{number:.1f} {unit}"
    return f"{number / _THOUSAND:.1f} TB"
