"""One chest film: from a file's bytes to a square of grey, or the reason why it cannot be read."""

import io
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, UnidentifiedImageError

from pneumo_train.errors import DataError
from pneumo_train.images import jpeg, png
from pneumo_train.images.dicom import is_dicom, read_dicom
from pneumo_train.images.png import GREY_ALPHA, RGB, RGBA, SIXTEEN, depth_and_colour, sixteen_bit_values

GreyArray = npt.NDArray[np.uint8]
_Floats = npt.NDArray[np.float64]

LONGEST_SIDE = 9_000
"""In pixels. A film has 2,000 to 5,000; padded to a square, one of this side takes 81 MB."""

_OPAQUE = 65_535
_ALL_TRANSPARENT = "every pixel of it is transparent; save it without transparency"
_LUMA = (299, 587, 114)

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What sets an image upright, by its orientation tag."""

_OTHERS = (
    (b"II*\0", "TIFF"), (b"MM\0*", "TIFF"), (b"GIF8", "GIF"), (b"BM", "BMP"), (b"RIFF", "WebP"),
    (b"\0\0\0\x0cjP  ", "JPEG 2000"), (b"\xff\x4f\xff\x51", "JPEG 2000"), (b"%PDF", "PDF"),
    (b"version https://git-lfs", "pointer of Git LFS; fetch the file itself"), (b"<", "web page or other text"),
)  # fmt: skip
"""Beginnings of files that are found under the names of films."""


def read_film(data: bytes, *, size: int) -> GreyArray:
    """A film's file as a grey square: padded with black to keep its proportions, then resized; uint8 (size, size).

    The orientation tag is followed, what is transparent becomes black, and sixteen-bit images, grey or coloured, are
    stretched from their least to their greatest value. DICOM is shown as :mod:`pneumo_train.images.dicom` says.

    Raises:
        DataError: it cannot be read; says why.
    """
    with _reasons(data):
        image = read_dicom(data, longest_side=LONGEST_SIDE) if is_dicom(data) else _upright_grey(data)
    side = max(image.size)
    if image.width != image.height:
        square = Image.new("L", (side, side))
        square.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
        image = square
    if side != size:
        image = image.resize((size, size), Image.Resampling.BILINEAR, reducing_gap=3.0)
    return np.asarray(image)


def check_film(data: bytes) -> None:
    """Refuses what a decoder takes without a word though a part of it is missing; for the rest see :func:`read_film`.

    Raises:
        DataError: says what is missing.
    """
    with _reasons(data):
        if png.is_png(data):
            png.require_whole(data)
        elif data.startswith(jpeg.SIGNATURE):
            jpeg.require_whole(data)


@contextmanager
def _reasons(data: bytes) -> Iterator[None]:
    """Whatever Pillow raises, as one kind of error that speaks of the file."""
    try:
        yield
    except DataError:
        raise
    except UnidentifiedImageError as error:
        raise DataError(_kind_of(data)) from error
    except Image.DecompressionBombError as error:
        raise DataError(f"it is too large: {error}") from error
    except Exception as error:
        raise DataError(f"{error or type(error).__name__}") from error


def _kind_of(data: bytes) -> str:
    """What a file is that is no readable PNG or JPEG."""
    if not data:
        return "it is empty"
    if data.startswith((png.SIGNATURE, jpeg.SIGNATURE)):
        return "the beginning of the file is damaged"
    for start, kind in _OTHERS:
        if data.startswith(start):
            return f"it is a {kind}" if " " in kind else f"it is a {kind} file; convert it to PNG or JPEG"
    return "it is neither PNG nor JPEG nor DICOM"


def _upright_grey(data: bytes) -> Image.Image:
    with Image.open(io.BytesIO(data), formats=("PNG", "JPEG")) as image:
        if max(image.size) > LONGEST_SIDE:
            raise DataError(
                f"it has {image.width:,} x {image.height:,} pixels; at most {LONGEST_SIDE:,} a side are read"
            )
        frames = getattr(image, "n_frames", 1)
        if image.format == "PNG" and frames > 1:
            raise DataError(f"it is an animation of {frames} pictures; a film is one")
        grey = _grey(image, data)
        turn = _TURNS.get(_orientation(image))
    return grey if turn is None else grey.transpose(turn)


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # noqa: BLE001 - a damaged tag raises many kinds; every viewer shows such an image as it lies
        return 1


def _grey(image: Image.Image, data: bytes) -> Image.Image:
    """Eight bits of grey; what is transparent is black."""
    if png.is_png(data) and depth_and_colour(data)[0] == SIXTEEN:
        return _stretched(*_sixteen_bits(image, data))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        if image.getchannel("A").getextrema() == (0, 0):
            raise DataError(_ALL_TRANSPARENT)
        image = Image.alpha_composite(Image.new("RGBA", image.size, (0, 0, 0, _OPAQUE >> 8)), image)
    return image.convert("L")


def _sixteen_bits(image: Image.Image, data: bytes) -> tuple[_Floats, _Floats | None]:
    """The grey of each pixel, and how opaque it is from 0 to 1, if the image says so."""
    _, colour = depth_and_colour(data)
    hole = image.info.get("transparency")
    if colour not in {GREY_ALPHA, RGB, RGBA}:
        values = np.asarray(image, dtype=np.float64)
        return values, None if hole is None else (values != hole).astype(np.float64)
    pixels = sixteen_bit_values(data)
    grey = pixels[..., 0].astype(np.float64) if colour == GREY_ALPHA else _luma(pixels)
    if colour == RGB:
        return grey, None if hole is None else (pixels != np.array(hole)).any(axis=-1).astype(np.float64)
    return grey, pixels[..., -1].astype(np.float64) / _OPAQUE


def _luma(pixels: npt.NDArray[np.uint16]) -> _Floats:
    """The grey of a colour, as Pillow weighs it (ITU-R 601); exact where the three are equal."""
    total = np.zeros(pixels.shape[:2], dtype=np.float64)
    for channel, weight in enumerate(_LUMA):
        total += weight * pixels[..., channel].astype(np.float64)
    return total / sum(_LUMA)


def _stretched(values: _Floats, opacity: _Floats | None) -> Image.Image:
    """Eight bits, from the least to the greatest value that can be seen; one value alone is black."""
    seen = values if opacity is None else values[opacity > 0]
    if not seen.size:
        raise DataError(_ALL_TRANSPARENT)
    low, high = float(seen.min()), float(seen.max())
    scaled = (values - low) * (255.0 / (high - low)) if high > low else np.zeros_like(values)
    if opacity is not None:
        scaled *= opacity
    return Image.fromarray(scaled.round().astype(np.uint8))
