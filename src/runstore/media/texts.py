"""A text as a file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from runstore.media.files import Media, new_media, wrong_kind

_SUFFIXES: Final = (".txt", ".md", ".html", ".json", ".csv", ".xml", ".yaml", ".yml", ".toml", ".log", ".diff", ".py")


def text(name: str, text: str, *, step: int | None = None, metadata: Mapping[str, Any] | None = None) -> Media:
    """A text that is to be kept, in UTF-8: a report, a prompt and its answer, a confusion matrix in words.

    Args:
        name: its name; an ending such as ``.md`` or ``.json`` stays, and ``.txt`` is the default.
        text: the text, of any length; lone surrogates are shown by their escapes.
        step: the step, for one of a series.
        metadata: more to keep with it.

    Raises:
        InvalidValueError: this is no text, or the name or step is not allowed.
    """
    if not isinstance(text, str):
        raise wrong_kind("text", text, "a str")

    def write(path: Path) -> dict[str, Any]:
        path.write_bytes(text.encode("utf-8", "backslashreplace"))
        return {"characters": len(text)}

    return new_media("text", name, step=step, suffixes=_SUFFIXES, write=write, metadata=metadata)
