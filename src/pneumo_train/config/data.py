"""What is read, and how it is split."""

import dataclasses
import re
from typing import Annotated, Literal

from msgspec import Meta

from pneumo_train.config.kinds import Between0And1, CountOrZero, check
from pneumo_train.words import cleaned

CACHE_VARIABLE = "PNEUMO_TRAIN_CACHE_DIR"
"""Names the folder of decoded images where data.cache_dir does not."""


def _is_pattern(text: str | None) -> bool:
    try:
        re.compile(text or "")
    except re.error:
        return False
    return text != ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class DataConfig:
    """What is read from the source, and how it is split.

    Attributes:
        csv_filename: the metadata CSV inside the source; found by its name and columns when not given.
        images_dir: the folder of the images inside the source; found when not given.
        image_column: the column that names an image: its file name without or with the ending.
        target_column: the column of the label: 0 or 1, or words as NORMAL and PNEUMONIA.
        positive_value: what the label is of a film with pneumonia, several with a bar between them; every other value is negative. When not
            given, the label is 0 or 1, or a word that says which.
        patient_column: the column that says whose image it is; the split never cuts a patient in two. When not given,
            patientId if the table has it, else the image column: then each image counts as a patient. Headers of DICOM are columns, too, as
            dicom.PatientID.
        patient_pattern: a regular expression for the patient within that column, as ^[0-9]+ for 00000013_005; of one with brackets, what the
            first hold.
        groups_csv: a second CSV inside the source, joined on image_column, that may hold the columns below and the
            patient column.
        split_column: a column of given parts (train, val or validation, test); its test rows are left out of training, and without
            validation rows these are drawn from the training rows.
        split_file: a CSV of given parts on disk, as each training leaves it: with the columns image and part (train, validation, test,
            unused).
        subset_column: use only the rows with 1, true or yes in this column.
        site_column: the column that says which hospital an image is of; with federate --partition site each is a client.
        sample_fraction: the share of patients to use.
        test_fraction: the share of patients that is drawn for a test, and kept out of training; 0 draws none.
        validation_fraction: the share of the other patients for validation when no split is given.
        folds: divide the patients into this many folds, of which one is for validation; in place of validation_fraction.
        fold: which fold is for validation, from 0.
        equal_images: whether equal files in two parts, nearly equal images, and patients that DICOM headers find in two parts are told (warn) or
            an error (refuse).
        image_size: side of the square given to the network, in pixels.
        cache_dir: a folder where decoded images are kept, so that later trainings need not decode them; when not given, the one that
            PNEUMO_TRAIN_CACHE_DIR names, else none.
        cache_disk_mib: how many MiB may lie in that folder; what was not used for longest is removed. 0 keeps nothing there.
        cache_mib: without such a folder, decoded images are kept in memory when they need no more than this many MiB.
    """

    csv_filename: str | None = None
    images_dir: str | None = None
    image_column: str = "patientId"
    target_column: str = "Target"
    positive_value: str | None = None
    patient_column: str | None = None
    patient_pattern: str | None = None
    groups_csv: str | None = None
    split_column: str | None = None
    split_file: str | None = None
    subset_column: str | None = None
    site_column: str | None = None
    sample_fraction: Annotated[float, Meta(gt=0, le=1)] = 1.0
    test_fraction: Annotated[float, Meta(ge=0, lt=1)] = 0.0
    validation_fraction: Between0And1 = 0.2
    folds: Annotated[int, Meta(ge=2, le=100)] | None = None
    fold: CountOrZero = 0
    equal_images: Literal["warn", "refuse"] = "warn"
    image_size: Annotated[int, Meta(ge=32, le=1024)] = 224
    cache_dir: str | None = None
    cache_disk_mib: CountOrZero = 8192
    cache_mib: CountOrZero = 2048

    def __post_init__(self) -> None:
        """Cleans the names of columns as those in a table's header are."""
        for key in ("image_column", "target_column", "patient_column", "split_column", "subset_column", "site_column"):
            if isinstance(name := getattr(self, key), str):
                object.__setattr__(self, key, cleaned(name))
                check(f"data.{key}", name, getattr(self, key) != "", "must name a column")
        check(
            "data.patient_pattern",
            self.patient_pattern,
            _is_pattern(self.patient_pattern),
            "must be a regular expression",
        )
        if self.positive_value is not None:
            object.__setattr__(self, "positive_value", cleaned(self.positive_value))
            check(
                "data.positive_value", self.positive_value, self.positive_value.strip("| ") != "", "must name a value"
            )
        check(
            "data.fold", self.fold, self.fold < (self.folds or 1), "must be below data.folds, which are counted from 0"
        )
        given = self.split_column and "data.split_column"
        check(
            "data.split_file",
            self.split_file,
            not (self.split_file and given),
            "give it or data.split_column, not both",
        )
