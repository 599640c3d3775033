"""The files of a run, as a person reads of them: a series of pictures in one line."""

from collections.abc import Mapping, Sequence
from typing import Final

from runstore.cli.columns import config_texts
from runstore.cli.output.tables import Column, print_facts, print_table
from runstore.cli.output.text import print_line
from runstore.media import MediaItem
from runstore.media.files import KEY
from runstore.model import Artifact
from runstore.texts import size_text

_MOST_VALUES: Final = 8
"""Of what is told of a file; ``--json`` has all of it."""

_LONGEST_VALUE: Final = 60


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
                size_text(sum(item.artifact.size or 0 for item in items)),
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


def _described(item: Artifact) -> str:
    texts = config_texts({key: value for key, value in item.metadata.items() if key != KEY})
    told = [f"{key}={_short(value)}" for key, value in list(texts.items())[:_MOST_VALUES]]
    more = [f"and {len(texts) - _MOST_VALUES} more values"] if len(texts) > _MOST_VALUES else []
    size = [] if item.size is None else [size_text(item.size)]
    place = "" if item.is_stored else f"\n{item.uri}"
    return ", ".join([item.artifact_type, *size, *told, *more]) + place


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"


def _steps(steps: Sequence[int]) -> str:
    if not steps:
        return ""
    return str(steps[0]) if steps[0] == steps[-1] else f"{steps[0]} to {steps[-1]}"
