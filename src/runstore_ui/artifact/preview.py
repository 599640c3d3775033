"""The beginning of a file, as a page can show it: a picture, a text, or a table. HTML is shown as text, never run."""

import csv
import io
import itertools
import json
from collections.abc import Sequence
from typing import BinaryIO, Final

from msgspec import Struct

from runstore.model import Artifact
from runstore.texts import size_text
from runstore_ui.artifact.markdown import ENDINGS, can_read_markdown, markdown_page

PICTURES: Final = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
}
"""Endings of pictures, and their media types. SVG is none of them: it may have a program in it."""

_MOST_SHOWN: Final = 64 * 1024
_MOST_JSON: Final = 1024 * 1024
MOST_ROWS, MOST_COLUMNS = 200, 50
PARQUET: Final = ".parquet"
_SEPARATORS: Final = {".csv": ",", ".tsv": "\t"}
_MOST_READ: Final = 64 * 1024 * 1024
_MOST_TABLE: Final = 2 * 1024**3
"""All bytes of a file are checked before any are shown, which takes about a second for a gigabyte: so much is read of what can be
a text or a table by its name, and less of what would most likely show nothing."""
_TEXTS: Final = frozenset(
    (
        *_SEPARATORS,
        PARQUET,
        ".txt",
        ".log",
        ".json",
        ".jsonl",
        ".ndjson",
        *ENDINGS,
        ".yaml",
        ".yml",
        ".toml",
        ".out",
        ".err",
    )
)


class Preview(Struct, frozen=True, kw_only=True):
    """What is shown of a file.

    Attributes:
        is_picture: whether the file itself is shown.
        text: its text.
        page: of a text in Markdown, what a browser shows; safe HTML.
        heads: of a table, the first row; empty if it is none.
        rows: of a table, the others.
        remark: what is not shown, or why nothing is.
    """

    is_picture: bool = False
    text: str | None = None
    page: str = ""
    heads: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    remark: str = ""


def ending_of(name: str) -> str:
    """The ending of a file's name, in lower case, with its dot."""
    last = name.rpartition("/")[2].lower()
    return f".{last.rpartition('.')[2]}" if "." in last else ""


def is_picture(artifact: Artifact) -> bool:
    """Whether a browser can show the file as it is."""
    return artifact.is_stored and ending_of(artifact.name) in PICTURES


def preview_of(artifact: Artifact, file: BinaryIO) -> Preview:
    """The preview of a file that is open at its beginning; at most a part of it is read."""
    ending = ending_of(artifact.name)
    size = artifact.size or 0
    start = file.read(_MOST_JSON if ending == ".json" else _MOST_SHOWN)
    is_whole = len(start) >= size
    text = _text(start)
    if text is None:
        return Preview(remark="This is no text, table or picture; download it to look at it.")
    if ending in _SEPARATORS:
        return _table(text, _SEPARATORS[ending], is_whole=is_whole)
    if ending == ".json" and is_whole:
        text = _indented(text)
    shown = text[:_MOST_SHOWN]
    cut = not is_whole or len(shown) < len(text)
    remark = f"This is the beginning of {size_text(size)}." if cut else ""
    if ending in ENDINGS and can_read_markdown():
        return Preview(page=markdown_page(shown), remark=remark)
    return Preview(text=shown, remark=remark)


def too_large(artifact: Artifact) -> Preview | None:
    """What is said of a file that is too large to look into; ``None`` for others."""
    if (artifact.size or 0) <= (_MOST_TABLE if ending_of(artifact.name) in _TEXTS else _MOST_READ):
        return None
    return Preview(remark=f"Of {size_text(artifact.size or 0)} nothing is shown here; download it to look at it.")


def _text(content: bytes) -> str | None:
    if b"\0" in content:
        return None
    for cut in range(4):  # the end may lie within a character
        try:
            return content[: len(content) - cut].decode("utf-8-sig")
        except UnicodeDecodeError:
            continue
    return None


def _indented(text: str) -> str:
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text


def _table(text: str, separator: str, *, is_whole: bool) -> Preview:
    try:
        rows = list(itertools.islice(csv.reader(io.StringIO(text, newline=""), delimiter=separator), MOST_ROWS + 2))
    except csv.Error:
        return Preview(text=text, remark="" if is_whole else "This is the beginning.")
    has_more = len(rows) > MOST_ROWS + 1
    if not is_whole and not has_more:
        rows = rows[:-1] or rows  # the last one may be half
    rows = rows[: MOST_ROWS + 1]
    is_cut = has_more or not is_whole
    wide = max(map(len, rows), default=0) > MOST_COLUMNS
    remarks = [
        *([f"The table begins so; rows shown: {len(rows) - 1}."] if is_cut else []),
        *([f"These are the first {MOST_COLUMNS} columns."] if wide else []),
    ]
    shown = [row[:MOST_COLUMNS] for row in rows]
    return Preview(heads=shown[0] if shown else (), rows=shown[1:], remark=" ".join(remarks))
