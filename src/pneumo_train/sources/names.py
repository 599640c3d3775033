"""The images of a source, found by what a table calls them."""

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from pneumo_train.errors import SourceError
from pneumo_train.words import cleaned, shown, split_ending


class ImageNames:
    """Finds an image's file by its name.

    The same name are: with and without the ending, the ending in small or capital letters, any Unicode form, and a name
    with folders before it, which choose among several files of that name, and do not matter where there is one alone.
    """

    def __init__(self, files: Mapping[PurePosixPath, Path]) -> None:
        self._files = files
        self._by_name: dict[str, list[PurePosixPath]] = defaultdict(list)
        self._by_stem: dict[str, list[PurePosixPath]] = defaultdict(list)
        self._by_sketch: dict[str, PurePosixPath] = {}
        for file in files:
            stem, ending = split_ending(cleaned(file.name))
            self._by_name[stem + ending].append(file)
            self._by_stem[stem].append(file)

    def __len__(self) -> int:
        """How many images there are."""
        return len(self._files)

    def endings(self) -> frozenset[str]:
        """The endings that they have, in small letters."""
        return frozenset(file.suffix.lower() for file in self._files)

    def find(self, wanted: str) -> Path | None:
        """Where the image of this name lies, or ``None``.

        Raises:
            SourceError: several images could be meant.
        """
        *folders, name = _parts(wanted)
        stem, ending = split_ending(name)
        found = self._by_name.get(stem + ending, []) if ending else []
        found = found or self._by_stem.get(name, [])
        found = [file for file in found if file.name == name] or found
        if folders and len(found) > 1:
            found = [file for file in found if _parts(str(file.parent))[-len(folders) :] == folders] or found
        if len(found) > 1:
            raise SourceError(
                f"two images are called {shown(wanted)!r}: {shown(str(found[0]))} and {shown(str(found[1]))}; "
                f"{'write the folder' if found[0].name == found[1].name else 'write the ending'} into the table too, or name "
                "the folder to use (data.images_dir)"
            )
        return self._files[found[0]] if found else None

    def nearest(self, wanted: str) -> str | None:
        """The file that differs from the name in case, leading zeros or its ending alone; for a hint, never taken."""
        if not self._by_sketch:
            self._by_sketch = {_sketch(file.name): file for file in self._files}
        found = self._by_sketch.get(_sketch(_parts(wanted)[-1]))
        return None if found is None else str(found)


def _parts(path: str) -> list[str]:
    """The folders and the name of a path as a table writes it, with either slash."""
    parts = [cleaned(part) for part in path.replace("\\", "/").split("/")]
    return [part for part in parts if part not in {"", "."}] or [cleaned(path)]


def _sketch(name: str) -> str:
    stem = PurePosixPath(cleaned(name)).stem
    return stem.casefold().replace(" ", "").lstrip("0")
