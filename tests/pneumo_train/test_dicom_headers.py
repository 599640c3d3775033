"""DICOM headers: whom a film shows, how old and of which sex; what a split by another column has cut in two."""

import io
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pneumo_train.config.settings import load_config
from pneumo_train.preparing.checking import check_source
from pneumo_train.preparing.data_report import report_text
from pneumo_train.preparing.reading import read_source
from pneumo_train.splitting.split_file import write_split

pytest.importorskip("pydicom")

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ComputedRadiographyImageStorage, ExplicitVRLittleEndian, generate_uid

WriteSource = Callable[..., Path]
ROWS = [("a", 0, "train"), ("b", 1, "train"), ("c", 0, "val"), ("d", 1, "val"), ("e", 1, "test"), ("f", 0, "test")]
COLUMNS = ("patientId", "Target", "split")


def film(seed: int, **elements: Any) -> bytes:
    """A DICOM film of noise, with these elements."""
    file = Dataset()
    file.file_meta = FileMetaDataset()
    file.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file.file_meta.MediaStorageSOPClassUID = file.SOPClassUID = ComputedRadiographyImageStorage
    file.file_meta.MediaStorageSOPInstanceUID = file.SOPInstanceUID = generate_uid()
    file.Modality, file.SamplesPerPixel, file.PhotometricInterpretation = "CR", 1, "MONOCHROME2"
    file.Rows = file.Columns = 64
    file.BitsAllocated, file.BitsStored, file.HighBit, file.PixelRepresentation = 8, 8, 7, 0
    file.PixelData = np.random.default_rng(seed).integers(0, 255, (64, 64), dtype=np.uint8).tobytes()
    for name, value in elements.items():
        setattr(file, name, value)
    stream = io.BytesIO()
    file.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


@pytest.fixture
def write_films(write_source: WriteSource) -> Callable[..., Path]:
    """Writes a table and a film for each of its rows; what headers say is given element by element, a value a film."""

    def write(
        rows: Sequence[Sequence[object]] = ROWS, columns: Sequence[str] = COLUMNS, **elements: Sequence[str]
    ) -> Path:
        root = write_source(rows, columns=columns, images=[])
        for number, row in enumerate(rows):
            told = {name: values[number] for name, values in elements.items()}
            (root / f"{row[0]}.dcm").write_bytes(film(number, **told))
        return root

    return write


def checked(root: Path, **options: object) -> dict[str, Any]:
    data = {"image_size": 32, **options}
    return check_source(root, load_config(overrides={f"data.{key}": value for key, value in data.items()}))


def test_a_patient_whom_headers_find_in_two_parts_is_told_and_refused_on_demand(
    write_films: Callable[..., Path],
) -> None:
    root = write_films(PatientID=["MRN-1", "MRN-2", "MRN-3", "MRN-2", "MRN-4", "MRN-5"])

    told = checked(root, split_column="split")
    refused = checked(root, split_column="split", equal_images="refuse")
    mended = checked(root, split_column="split", patient_column="dicom.PatientID")

    (note,) = told["notes"]
    assert told["valid"]
    assert note == (
        "by their DICOM headers, 1 patients with 2 films lie in two parts, as b.dcm (train) and d.dcm (validation): if the headers are "
        "right, give --data.patient_column dicom.PatientID"
    )
    assert "1 patients with 2 films lie in two parts" in refused["error"]
    assert "cuts 1 patients in two, as dicom.2 (train and validation)" in mended["error"]


def test_films_that_are_called_as_patients_are_taken_for_no_patients(write_films: Callable[..., Path]) -> None:
    parts = ("train", "train", "val", "val", "test", "test")
    rows = [(f"dicom.{number}", number % 2, part) for number, part in enumerate(parts, start=1)]

    report = checked(write_films(rows, PatientID=["A", "B", "A", "C", "", ""]), split_column="split")

    (note,) = report["notes"]
    assert "1 patients with 2 films lie in two parts, as dicom.1.dcm (train) and dicom.3.dcm (validation)" in note


def test_the_split_is_drawn_by_the_patients_of_the_headers_and_what_a_hospital_calls_them_is_kept_nowhere(
    write_films: Callable[..., Path],
) -> None:
    rows = [(f"x{number:02d}", number // 2 % 2) for number in range(24)]
    root = write_films(rows, ("patientId", "Target"), PatientID=[f"MRN-{number // 2}" for number in range(24)])
    config = load_config(overrides={"data.image_size": 32, "data.patient_column": "dicom.PatientID"})

    with read_source(root, config) as reading:
        parts = {name: {sample.patient for sample in samples} for name, samples in reading.split.parts().items()}
        kept = write_split(reading.samples, reading.split)
        notes = reading.notes

    assert not parts["train"] & parts["validation"]
    assert len(parts["train"] | parts["validation"]) == 12
    assert "x00,dicom.1," in kept
    assert "MRN" not in kept
    assert notes == ()


def test_several_films_of_a_patient_by_the_headers_are_pointed_out_where_nothing_is_split(
    write_films: Callable[..., Path],
) -> None:
    root = write_films(PatientID=["1", "1", "2", "2", "3", "3"])

    with read_source(root, load_config(), is_split=False) as reading:
        (note,) = reading.notes

    assert "the DICOM headers name 3 patients of 6 films: give --data.patient_column dicom.PatientID" in note


@pytest.mark.parametrize(
    "ids",
    [[""] * 6, ["ward 7"] * 6, ["ANONYMOUS", "anon"] * 3, ["0", "0", "xxx", "N/A", "", "removed"]],
    ids=["empty", "one for all", "anonymous", "taken away"],
)
def test_an_id_that_tells_nobody_apart_is_none(write_films: Callable[..., Path], ids: list[str]) -> None:
    report = checked(write_films(PatientID=ids), split_column="split")

    assert (report["error"], report["notes"]) == (None, [])
    assert "dicom.PatientID" not in report["columns"]


def test_sex_age_and_view_of_the_headers_divide_where_the_table_has_none(write_films: Callable[..., Path]) -> None:
    rows = [(*row, "", "M" if row[0] == "a" else "") for row in ROWS]
    root = write_films(
        rows,
        (*COLUMNS, "age", "sex"),
        PatientSex=["F"] * 6,
        PatientAge=["042Y", "003M", "090W", "", "130Y", "400D"],
        ViewPosition=["AP", "PA", "AP", "AP", "", "AP"],
    )

    report = checked(root, split_column="split")["data"]

    assert report["sex"] == {"M": 1, "not known": 5}  # the table's own, for it says something
    assert report["age"] == {"0-1": 3, "40-64": 1, "not known": 2}
    assert report["view"] == {"AP": 4, "PA": 1, "not known": 1}
    assert (report["ages"]["known"], report["ages"]["impossible_ages"]) == (5, [130.0])
    assert "view: AP 4, PA 1, not known 1" in report_text(report)


def test_a_header_that_cannot_be_read_leaves_the_error_to_the_decoder(write_films: Callable[..., Path]) -> None:
    root = write_films(PatientID=["1", "1", "2", "2", "3", "3"])
    (root / "d.dcm").write_bytes(b"no film at all")

    report = checked(root, split_column="split")

    assert [name.split()[0] for name in report["unreadable"]] == ["d.dcm"]


@pytest.mark.parametrize(
    ("column", "elements", "told"),
    [
        ("dicom.PatientID", {"PatientID": 6 * ["7"]}, "the headers of all films name the same patient, or nobody"),
        ("dicom.PatientID", {}, "the headers of all films name the same patient, or nobody"),
        ("dicom.PatientName", {"PatientID": list("112233")}, "of headers are read dicom.PatientID, dicom.PatientSex"),
    ],
)
def test_a_column_of_headers_that_is_not_there_is_told_with_its_reason(
    write_films: Callable[..., Path], column: str, elements: dict[str, list[str]], told: str
) -> None:
    assert told in checked(write_films(**elements), patient_column=column)["error"]


def test_a_column_of_headers_of_films_that_are_no_dicom_is_told_so(write_source: WriteSource) -> None:
    error = checked(write_source([("a", 1), ("b", 0)]), patient_column="dicom.PatientID")["error"]

    assert "none of the 2 images is one (.dcm, .dicom); name a column of the table" in error


def test_a_column_of_headers_without_what_reads_them_is_told_what_to_install(
    write_films: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write_films(PatientID=list("112233"))
    for name in [each for each in sys.modules if each.split(".")[0] == "pydicom"]:
        monkeypatch.delitem(sys.modules, name)
    hidden = [place for place in sys.path if not (Path(place) / "pydicom").exists()]
    monkeypatch.setattr(sys, "path", hidden)

    error = checked(root, patient_column="dicom.PatientID")["error"]

    assert 'pip install "pneumo-train[dicom]"' in error
    assert "no column 'dicom.PatientID'" in error
