"""How a file of predictions is laid out: its first line, its columns and its bounds. What is written here stays."""

from typing import Any, Final

from msgspec import Struct

FORMAT: Final = "runstore.predictions"
VERSION: Final = 1
"""Of the format that is written. All versions up to this one are read."""

ARTIFACT_TYPE: Final = "predictions"
"""The type of the artifact, by which a page finds it."""

SUFFIX: Final = ".csv.gz"
MARK: Final = b"#"
"""What the first line begins with; JSON follows."""

MAX_ROWS: Final = 1_000_000
"""So many rows a file may have."""
MAX_BYTES: Final = 2**29
"""So many bytes it may have unpacked."""
MAX_LINE: Final = 2**17
"""So many bytes one line may have."""
MAX_COLUMNS: Final = 256
MAX_CLASSES: Final = 100

SCORE: Final = "score"
SCORE_OF: Final = "score."
SUBGROUP: Final = "subgroup."
SINGLE: Final = ("id", "target", "group", "weight", "split", "site")
"""The columns that are there once at most; the first two must be."""


class Header(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The first line of a file: what holds for all of its rows."""

    format: str
    version: int
    classes: list[str]
    is_probability: bool = True
    thresholds: list[dict[str, Any]] = []
    calibration: dict[str, Any] | None = None
    about: dict[str, Any] = {}


def score_columns(classes: tuple[str, ...]) -> list[str]:
    """The names of the columns that hold scores: one for two classes, else one a class."""
    return [SCORE] if len(classes) == 2 else [f"{SCORE_OF}{name}" for name in classes]  # noqa: PLR2004 - a pair
