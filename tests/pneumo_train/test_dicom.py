"""Films in DICOM: what a viewer shows is what is learnt from; what is no single grey film is refused."""

import builtins
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pneumo_train.config.settings import load_config
from pneumo_train.errors import DataError
from pneumo_train.images import read_film
from pneumo_train.images.quiet import quiet_decoders
from pneumo_train.preparing.checking import check_source

pydicom = pytest.importorskip("pydicom")

from pydicom.data import get_testdata_file  # noqa: E402 - only with pydicom
from pydicom.dataset import Dataset, FileMetaDataset  # noqa: E402
from pydicom.sequence import Sequence as Items  # noqa: E402
from pydicom.uid import ComputedRadiographyImageStorage, ExplicitVRLittleEndian, RLELossless, generate_uid  # noqa: E402

WriteSource = Callable[..., Path]
SIDE = 32
RAMP = np.linspace(0, 4095, SIDE * SIDE).round().astype(np.uint16).reshape(SIDE, SIDE)


def film(values: np.ndarray = RAMP, *, shown: str = "MONOCHROME2", compress: bool = False, **elements: Any) -> bytes:
    """A DICOM file of 12 bits stored in 16."""
    file = Dataset()
    file.file_meta = FileMetaDataset()
    file.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file.file_meta.MediaStorageSOPClassUID = file.SOPClassUID = ComputedRadiographyImageStorage
    file.file_meta.MediaStorageSOPInstanceUID = file.SOPInstanceUID = generate_uid()
    file.Modality, file.SamplesPerPixel, file.PhotometricInterpretation = "CR", 1, shown
    file.Rows, file.Columns = values.shape[-2:]
    file.BitsAllocated, file.BitsStored, file.HighBit, file.PixelRepresentation = 16, 12, 11, 0
    file.PixelData = values.astype("<u2").tobytes()
    file["PixelData"].VR = "OW"
    for name, value in elements.items():
        setattr(file, name, value)
    if compress:
        file.compress(RLELossless)
    stream = io.BytesIO()
    file.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def lut(first: int, entries: list[int], bits: int, *, packed: type[np.unsignedinteger[Any]] | None = None) -> Items:
    """A table as a sequence; packed ones are words of these bytes."""
    item = Dataset()
    item.add_new("LUTDescriptor", "US", [len(entries) % 65536, first, bits])
    if packed is None:
        item.add_new("LUTData", "US", entries)
    else:
        item.add_new("LUTData", "OW", np.array(entries, dtype=packed).tobytes())
    return Items([item])


def test_without_a_window_the_values_are_stretched_and_monochrome1_is_inverted() -> None:
    plain, inverted = read_film(film(), size=SIDE), read_film(film(shown="MONOCHROME1"), size=SIDE)

    assert (plain[0, 0], plain[-1, -1]) == (0, 255)
    assert (np.diff(plain.ravel().astype(int)) >= 0).all()
    assert np.array_equal(inverted, 255 - plain)


def test_the_first_window_cuts_what_lies_outside_of_it() -> None:
    shown = read_film(film(WindowCenter=[2048, 100], WindowWidth=[1024, 50]), size=SIDE)

    assert (shown[RAMP < 1530] == 0).all()
    assert (shown[RAMP > 2565] == 255).all()
    assert abs(int(shown[RAMP > 2048][0]) - 128) <= 2


def test_the_rescaling_comes_before_the_window() -> None:
    rescaled = read_film(film(RescaleSlope=2, RescaleIntercept=-1000, WindowCenter=3096, WindowWidth=2048), size=SIDE)
    stored = read_film(film(WindowCenter=2048, WindowWidth=1024), size=SIDE)

    assert np.abs(rescaled.astype(int) - stored).max() <= 1


@pytest.mark.parametrize(
    "window",
    [
        {},
        {"WindowCenter": None, "WindowWidth": None},
        {"WindowCenter": 2048},
        {"WindowCenter": 2048, "WindowWidth": 0},
    ],
)
def test_a_window_without_a_centre_or_a_width_is_none(window: dict[str, Any]) -> None:
    assert np.array_equal(read_film(film(**window), size=SIDE), read_film(film(), size=SIDE))


def test_a_sigmoid_window_bends_and_one_whose_function_is_empty_is_linear() -> None:
    window: dict[str, Any] = {"WindowCenter": 2048, "WindowWidth": 1024}
    linear = read_film(film(**window), size=SIDE)

    assert np.array_equal(read_film(film(**window, VOILUTFunction=None), size=SIDE), linear)
    bent = read_film(film(**window, VOILUTFunction="SIGMOID"), size=SIDE)
    assert 0 < bent[RAMP < 1530].max() < 40
    assert (np.diff(bent.ravel().astype(int)) >= 0).all()


@pytest.mark.parametrize("packed", [None, np.uint16, np.uint8])
def test_a_table_of_eight_bits_is_looked_up_however_it_is_packed(
    packed: type[np.unsignedinteger[Any]] | None,
) -> None:
    entries = [value // 16 for value in range(4096)]

    shown = read_film(film(VOILUTSequence=lut(0, entries, 8, packed=packed)), size=SIDE)

    assert np.array_equal(shown, (RAMP // 16).astype(np.uint8))


def test_values_before_and_after_a_table_are_its_first_and_last() -> None:
    shown = read_film(film(VOILUTSequence=lut(1000, [0, 100, 255], 8)), size=SIDE)

    assert (shown[RAMP <= 1000] == 0).all()
    assert (shown[RAMP >= 1002] == 255).all()


def test_a_table_that_is_shorter_than_it_says_is_refused() -> None:
    table = lut(0, [0, 255], 8)
    table[0].LUTDescriptor = [4096, 0, 8]

    with pytest.raises(DataError, match="a lookup table of it has 2 of 4,096 entries"):
        read_film(film(VOILUTSequence=table), size=SIDE)


def test_a_voi_lut_is_looked_up_after_the_modality_lut() -> None:
    data = film(
        ModalityLUTSequence=lut(0, list(range(4095, -1, -1)), 12), VOILUTSequence=lut(0, [0] * 2048 + [1023] * 2048, 10)
    )

    shown = read_film(data, size=SIDE)

    assert (shown[RAMP < 2047] == 255).all()
    assert (shown[RAMP > 2048] == 0).all()


@pytest.mark.parametrize("shown", ["MONOCHROME1", "MONOCHROME2"])
def test_padding_is_black_and_does_not_stretch(shown: str) -> None:
    values = np.clip(RAMP, 1000, 2000)
    values[:4] = 4000

    grey = read_film(film(values, shown=shown, PixelPaddingValue=4000), size=SIDE)

    assert (grey[:4] == 0).all()
    assert {int(grey[4:].min()), int(grey[4:].max())} == {0, 255}


def test_run_length_encoded_pixels_are_the_same_film() -> None:
    assert np.array_equal(read_film(film(compress=True), size=SIDE), read_film(film(), size=SIDE))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (film(np.stack([RAMP, RAMP]), NumberOfFrames=2), "a DICOM file of 2 frames; a film is one"),
        (film(shown="PALETTE COLOR"), r"a DICOM file in colours \(PALETTE COLOR\)"),
        (film(Rows=64), "damaged or cut short"),
        (film(Columns=9001), "at most 9,000 a side"),
        (film(np.full_like(RAMP, 7), PixelPaddingValue=7), "every pixel of it is padding"),
        (film()[:700], "damaged or cut short|without pixels"),
    ],
)
def test_what_is_no_single_whole_grey_film_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_film(data, size=SIDE)


@pytest.mark.parametrize("name", ["MR_small.dcm", "MR_small_RLE.dcm", "MR_small_jp2klossless.dcm", "MR_small_padded.dcm", "JPEG2000.dcm"])  # fmt: skip
def test_files_of_other_makers_are_read(name: str) -> None:
    path = get_testdata_file(name, download=False)
    assert path is not None

    with quiet_decoders():
        shown = read_film(Path(str(path)).read_bytes(), size=SIDE)

    assert shown.shape == (SIDE, SIDE)
    assert int(shown.max()) - int(shown.min()) > 100


@pytest.mark.parametrize("is_implicit", [True, False])
def test_a_film_without_a_preamble_and_one_that_does_not_say_how_it_lies_are_the_same_film(is_implicit: object) -> None:
    whole = film(WindowCenter=2048, WindowWidth=1024)
    file = pydicom.dcmread(io.BytesIO(whole))
    file.preamble = None
    del file.file_meta
    stream = io.BytesIO()
    pydicom.dcmwrite(stream, file, implicit_vr=bool(is_implicit), little_endian=True, enforce_file_format=False)

    shown = [read_film(data, size=SIDE) for data in (whole, whole[132:], stream.getvalue())]

    assert not stream.getvalue().startswith(bytes(4)), "it begins with its first element"
    assert np.array_equal(shown[1], shown[0])
    assert np.array_equal(shown[2], shown[0])


@pytest.mark.parametrize(
    "data", [b"\x08\x00\x16\x00UI\x1a\x00", b"\x02\x00\x00\x00UL\x04\x00\xce\x00\x00\x00", b"\x08\x00" * 90]
)
def test_what_only_begins_as_a_film_without_a_preamble_is_refused(data: bytes) -> None:
    with pytest.raises(DataError):
        read_film(data, size=SIDE)


def test_a_report_in_dicom_has_no_pixels() -> None:
    with pytest.raises(DataError, match=r"a DICOM file without pixels \(SR\)"):
        read_film(Path(str(get_testdata_file("test-SR.dcm", download=False))).read_bytes(), size=SIDE)


def test_a_packing_that_nothing_unpacks_is_named_with_what_to_install() -> None:
    data = Path(str(get_testdata_file("MR_small_jpeg_ls_lossless.dcm", download=False))).read_bytes()

    with pytest.raises(DataError, match=r"its pixels \(JPEG-LS Lossless.*pip install python-gdcm"):
        read_film(data, size=SIDE)


def test_without_pydicom_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    true_import = builtins.__import__

    def lacking(name: str, *rest: Any, **named: Any) -> Any:
        if name == "pydicom":
            raise ModuleNotFoundError("No module named 'pydicom'", name="pydicom")
        return true_import(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", lacking)

    with pytest.raises(DataError, match=r"needs pydicom: pip install \"pneumo-train\[dicom\]\""):
        read_film(bytes(128) + b"DICM", size=SIDE)


def test_a_source_of_dicom_files_is_read(write_source: WriteSource) -> None:
    rows = [(f"p{number}", number % 2) for number in range(10)]
    root = write_source(rows, images=[])
    folder = root / "Training/Images"
    folder.mkdir(parents=True)
    for number, (name, _) in enumerate(rows):
        (folder / f"{name}.dcm").write_bytes(film(np.roll(RAMP, 97 * number)))

    report = check_source(root, load_config(overrides={"data.image_size": 32}))

    assert report["error"] is None
    assert report["image_count"] == 10


def test_the_folders_of_the_rsna_challenge_are_read_as_they_are_unpacked(write_source: WriteSource) -> None:
    rows = [(f"p{number}", 10, 10, 5, 5, number % 2) for number in range(10)]
    root = write_source(
        [*rows, ("p1", 20, 20, 5, 5, 1)],
        columns=("patientId", "x", "y", "width", "height", "Target"),
        images=[],
        table="stage_2_train_labels.csv",
    )
    write_source(
        [("t1", 0.5)], columns=("patientId", "PredictionString"), images=[], table="stage_2_sample_submission.csv"
    )
    for folder, names in (("stage_2_train_images", [row[0] for row in rows]), ("stage_2_test_images", ["t1"])):
        (root / folder).mkdir()
        for number, name in enumerate(names):
            (root / folder / f"{name}.dcm").write_bytes(film(np.roll(RAMP, 97 * number)))

    report = check_source(root, load_config(overrides={"data.image_size": 32}))

    assert (report["error"], report["csv_file"], report["images"]) == (None, "stage_2_train_labels.csv", 10)
