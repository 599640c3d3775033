"""Folders that say what their images show, as Kaggle's do: ``train/NORMAL``, ``train/PNEUMONIA`` and so on.

There is no table then: one is made, with the class from the folder, the part from the folder above it, and the patient
from the name of the file where it is one of Kermany's.
"""

import dataclasses
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from pneumo_train.config.data import DataConfig
from pneumo_train.errors import SourceError
from pneumo_train.sources.table import Header, Table
from pneumo_train.words import cleaned, enumerated, shown

CLASSES = {"normal": 0, "healthy": 0, "negative": 0, "pneumonia": 1, "bacteria": 1, "virus": 1, "positive": 1}
"""The label of a folder, by its name in small letters."""

PARTS = {
    "train": "train", "training": "train",
    "val": "validation", "valid": "validation", "validation": "validation",
    "test": "test",
}  # fmt: skip
"""The part of a split, by what tables and folders call it."""

IMAGE, CLASS, LABEL, PATIENT, PART = COLUMNS = ("image", "class", "label", "patient", "part")

LEAST_VALIDATION = 100
"""A folder of fewer validation images (Kaggle's has 16) chooses a model by chance: its images go to the training part."""

_KERMANY = re.compile(r"(person\d+_(?:bacteria|virus))(?:_\d+)+|((?:NORMAL2-)?IM-\d+)-\d+(?:-\d+)?")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ClassFolders:
    """The images below folders of classes.

    Attributes:
        root: the folder that holds the folders of parts or classes.
        films: each image, by its path below the root.
        notes: what was decided about them, for a person to know.
    """

    root: PurePosixPath
    films: tuple[PurePosixPath, ...]
    notes: tuple[str, ...]

    def table(self, path: Path) -> Table:
        """One row for each image, with the columns image, class, label, patient and part; the numbers of rows mean nothing.

        Args:
            path: what messages call it.
        """
        rows = []
        for number, (film, part) in enumerate(zip(self.films, self._parts(), strict=True), start=1):
            folder = film.parent.name
            values = (str(film), folder, str(CLASSES[folder.lower()]), patient_of(film), part)
            rows.append((number, dict(zip(COLUMNS, map(cleaned, values), strict=True))))
        return Table(path=path, header=Header(columns=COLUMNS), rows=rows)

    def columns(self, config: DataConfig) -> DataConfig:
        """The configuration with the columns that the table has; a column that the user named stays."""
        is_divided = len(set(self._parts())) > 1
        return dataclasses.replace(
            config,
            image_column=IMAGE,
            target_column=CLASS if config.positive_value else LABEL,
            patient_column=config.patient_column or (IMAGE if config.patient_pattern else PATIENT),
            split_column=config.split_column or (PART if is_divided and config.split_file is None else None),
        )

    def _parts(self) -> list[str]:
        """The part of each image, empty if no folder tells it."""
        pools = _pools_validation(self.films)
        parts = [_part_of(film) or "" for film in self.films]
        return ["train" if pools and part == "validation" else part for part in parts]


def find_class_folders(images: Iterable[PurePosixPath], *, origin: str) -> ClassFolders | None:
    """The class folders that lie nearest to the top, or ``None`` if there are not both classes.

    Raises:
        SourceError: several folders hold some, or some lie within a part and others not.
    """
    by_root: dict[PurePosixPath, list[PurePosixPath]] = defaultdict(list)
    others: Counter[str] = Counter()
    for file in images:
        folder = file.parent
        if folder.name.lower() not in CLASSES:
            others[folder.name] += 1
            continue
        root = folder.parent.parent if folder.parent.name.lower() in PARTS else folder.parent
        by_root[root].append(file.relative_to(root))
    if not by_root:
        return None
    depth = min(len(root.parts) for root in by_root)
    root, *more = sorted(root for root in by_root if len(root.parts) == depth)
    if more:
        raise SourceError(
            f"source {origin}: several folders hold classes: {enumerated([str(each) for each in (root, *more)], at_most=5)}; "
            "name one (data.images_dir)"
        )
    films = tuple(sorted(by_root[root]))
    if len({CLASSES[film.parent.name.lower()] for film in films}) == 1:
        return None
    loose = [film for film in films if not _part_of(film)]
    if 0 < len(loose) < len(films):
        raise SourceError(
            f"source {origin}: {loose[0].parent} lies beside folders of parts, as {_any_part(films)}: move its images into "
            "one of them, or name the folder to use (data.images_dir)"
        )
    copies = sum(len(found) for place, found in by_root.items() if place != root)
    return ClassFolders(root=root, films=films, notes=tuple(_notes(films, copies, others)))


def patient_of(film: PurePosixPath) -> str:
    """Whose image it is: as Kermany's names tell it, else the image itself counts as a patient."""
    match = _KERMANY.fullmatch(film.stem)
    return (match[1] or match[2]) if match else str(film)


def _notes(films: tuple[PurePosixPath, ...], copies: int, others: Counter[str]) -> Iterable[str]:
    known = sum(patient_of(film) != str(film) for film in films)
    if known:
        example = next(film.stem for film in films if patient_of(film) != str(film))
        yield (
            f"there is no table: classes and parts are those of the folders, and {known:,} of {len(films):,} names tell the patient "
            f"({shown(example)} is of {shown(patient_of(PurePosixPath(example)))})"
            f"{'' if known == len(films) else '; each other image counts as a patient of its own'}"
        )
    else:
        yield (
            "there is no table: classes and parts are those of the folders, and no name tells the patient: each image counts as "
            "one, and images of one child may lie in several parts; with a table, give --data.patient_column"
        )
    if _pools_validation(films):
        count = sum(_part_of(film) == "validation" for film in films)
        yield (
            f"the folder of validation has {count:,} images, too few to choose a model by: they go to those of training, from which "
            f"a share of the patients is drawn for validation (data.validation_fraction); {LEAST_VALIDATION} or more would be kept"
        )
    if copies:
        yield f"{copies:,} more images lie in class folders further down, as a copy does; they are left out"
    if others:
        names = enumerated([name or "the top folder" for name in sorted(others)], at_most=5)
        yield f"{sum(others.values()):,} images lie in no folder of a known class and are left out: {names}"


def _pools_validation(films: Iterable[PurePosixPath]) -> bool:
    parts = Counter(map(_part_of, films))
    return parts["train"] > 0 and 0 < parts["validation"] < LEAST_VALIDATION


def _part_of(film: PurePosixPath) -> str | None:
    return PARTS.get(film.parent.parent.name.lower())


def _any_part(films: Iterable[PurePosixPath]) -> str:
    return next(str(film.parent) for film in films if _part_of(film))
