"""A film in DICOM: from stored values to grey as a viewer shows it. Needs pydicom (``pip install "pneumo-train[dicom]"``)."""

import io
import logging
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from pneumo_train.errors import DataError

if TYPE_CHECKING:
    from pydicom import Dataset
    from pydicom.uid import UID

_MARK = slice(128, 132)
_FIRST_GROUPS = (b"\x02\x00", b"\x08\x00")
_LONGEST_FIRST = 1 << 10
_INSTALL = 'pip install "pneumo-train[dicom]"'
_GREYS = ("MONOCHROME1", "MONOCHROME2")

_FAR = 1e12
"""Beyond every window."""

_16_BITS = 1 << 16

_Floats = npt.NDArray[np.float64]
_Span = tuple[float, float]

# It logs each of its warnings, too, and without a handler such a line goes to standard error.
logging.getLogger("pydicom").addHandler(logging.NullHandler())


def is_dicom(data: bytes) -> bool:
    """Whether a file says that it is one, or begins as one whose preamble was left out: with an element of the first groups."""
    if data[_MARK] == b"DICM":
        return True
    named = re.fullmatch(rb"[A-Z]{2}", data[4:6])  # the kind of the value, where it is written before its length
    length = int.from_bytes(data[6:8] if named else data[4:8], "little")
    return data[:2] in _FIRST_GROUPS and 0 < length <= _LONGEST_FIRST


def read_dicom(data: bytes, *, longest_side: int) -> Image.Image:
    """A film as eight bits of grey: modality LUT, then VOI LUT or window, then dark and bright as they are seen.

    Without a window the values are stretched from the least to the greatest. Pixels of padding are black. Where several
    windows or tables are given, the first counts.

    Args:
        data: the file.
        longest_side: how many pixels a side may have.

    Raises:
        DataError: pydicom or what unpacks these pixels is not installed, or it is no single grey film.
    """
    try:
        import pydicom  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        if error.name != "pydicom":
            raise
        raise DataError(f"it is a DICOM file, which needs pydicom: {_INSTALL}, or convert it to PNG") from error
    file = pydicom.dcmread(io.BytesIO(data), force=data[_MARK] != b"DICM")
    if "TransferSyntaxUID" not in file.file_meta:
        file.file_meta.TransferSyntaxUID = _plain_syntax(file)
    _require_film(file, longest_side)
    return Image.fromarray(_seen(file, _stored(file)))


def _plain_syntax(file: "Dataset") -> "UID":
    """How the values of a file lie that does not say so: they are not packed, for that must be said."""
    from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian  # noqa: PLC0415 - an extra

    return ImplicitVRLittleEndian if file.original_encoding[0] else ExplicitVRLittleEndian


def _require_film(file: "Dataset", longest_side: int) -> None:
    if "PixelData" not in file:
        raise DataError(f"it is a DICOM file without pixels ({file.get('Modality', 'of no modality')})")
    frames = int(file.get("NumberOfFrames") or 1)
    if frames != 1:
        raise DataError(f"it is a DICOM file of {frames} frames; a film is one: save the one that is meant")
    shown = file.get("PhotometricInterpretation", "")
    if shown not in _GREYS or int(file.get("SamplesPerPixel") or 1) != 1:
        raise DataError(
            f"it is a DICOM file in colours ({shown or 'not said which'}); a film is MONOCHROME1 or MONOCHROME2"
        )
    height, width = int(file.Rows), int(file.Columns)
    if max(height, width) > longest_side:
        raise DataError(f"it has {width:,} x {height:,} pixels; at most {longest_side:,} a side are read")


def _stored(file: "Dataset") -> npt.NDArray[Any]:
    """The stored values.

    Raises:
        DataError: they are cut short, or packed in a way that nothing here unpacks.
    """
    packing = getattr(file.file_meta.get("TransferSyntaxUID"), "name", "of a syntax that is not said")
    try:
        stored: npt.NDArray[Any] = file.pixel_array
    except (RuntimeError, NotImplementedError) as error:  # as pydicom says that a plugin is missing, or fails
        raise DataError(
            f"its pixels ({packing}) cannot be unpacked; if they are whole, pydicom needs a plugin: pip install python-gdcm, "
            f"or convert it to PNG ({error})"
        ) from error
    except (ValueError, AttributeError) as error:
        raise DataError(f"its pixels ({packing}) are damaged or cut short ({error})") from error
    return stored


def _seen(file: "Dataset", stored: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Eight bits, bright where a viewer is bright."""
    padding = _padding(file, stored)
    if padding.all():
        raise DataError("every pixel of it is padding")
    values, span = _of_interest(file, _measured(file, stored))
    low, high = span or (float(values[~padding].min()), float(values[~padding].max()))
    scaled = np.clip((values - low) * (255.0 / (high - low)), 0, 255) if high > low else np.zeros_like(values)
    if file.PhotometricInterpretation == "MONOCHROME1":
        scaled = 255.0 - scaled
    scaled[padding] = 0
    return scaled.round().astype(np.uint8)


def _measured(file: "Dataset", stored: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The values after the modality's table or rescaling."""
    from pydicom.pixels.processing import apply_rescale  # noqa: PLC0415 - an extra

    if tables := file.get("ModalityLUTSequence"):
        return _looked_up(file, stored, tables[0])[0]
    return np.asarray(apply_rescale(stored, file))


def _of_interest(file: "Dataset", values: npt.NDArray[Any]) -> tuple[_Floats, _Span | None]:
    """The values through the VOI LUT or the first window, and the least and the greatest that these can give, if any."""
    from pydicom.pixels.processing import apply_windowing  # noqa: PLC0415 - an extra

    if tables := file.get("VOILUTSequence"):
        seen, bits = _looked_up(file, np.rint(values).astype(np.int64), tables[0])
        return seen.astype(np.float64), (0.0, 2.0**bits - 1)
    if not file.get("VOILUTFunction"):
        file.VOILUTFunction = "LINEAR"  # what an element without a value means
    width = _first(file.get("WindowWidth"))
    if _first(file.get("WindowCenter")) is None or width is None or width < (file.VOILUTFunction == "LINEAR"):
        return values.astype(np.float64), None
    with np.errstate(over="ignore"):
        low, high = apply_windowing(np.array([-_FAR, _FAR]), file)
        return np.asarray(apply_windowing(values, file), dtype=np.float64), (float(low), float(high))


def _first(value: Any) -> float | None:
    """The first of an element's values, if it has one."""
    values = [value] if isinstance(value, (int, float, str)) else list(value or ())
    return float(values[0]) if values and values[0] != "" else None


def _looked_up(file: "Dataset", values: npt.NDArray[Any], item: "Dataset") -> tuple[npt.NDArray[np.uint16], int]:
    """The entry of a table for each value, and of how many bits the entries are.

    pydicom's own refuses entries of 12 bits in a modality's table and two entries a word.
    """
    count, first, bits = (int(number) for number in item.LUTDescriptor)
    count = count % _16_BITS or _16_BITS  # of which a signed word makes a negative number
    entries = item.LUTData
    if isinstance(entries, bytes):
        order = "<" if file.file_meta.TransferSyntaxUID.is_little_endian else ">"
        entries = np.frombuffer(entries, dtype=np.uint8 if len(entries) < 2 * count else f"{order}u2")
    table = np.asarray(entries).astype(np.uint16)[:count]
    if len(table) < count:
        raise DataError(f"a lookup table of it has {len(table):,} of {count:,} entries: it is damaged")
    return table[np.clip(values.astype(np.int64) - first, 0, count - 1)], bits


def _padding(file: "Dataset", stored: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Where stored values stand for nothing: outside of a collimator, beside a film that was turned."""
    value = file.get("PixelPaddingValue")
    if value is None:
        return np.zeros(stored.shape, dtype=bool)
    limit = file.get("PixelPaddingRangeLimit")
    least, greatest = sorted((int(value), int(value if limit is None else limit)))
    return (stored >= least) & (stored <= greatest)
