"""One file, one film: whatever its colours and depth, or a reason that names what is wrong with it."""

import io
import struct
import warnings
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from pneumo_train.errors import DataError
from pneumo_train.images.film import check_film, read_film

GREY, RGB, GREY_ALPHA, RGBA = 0, 2, 4, 6
RAMP = np.linspace(0, 4095, 32 * 32).reshape(32, 32).round()


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(  # noqa: PLR0913 - what a head says
    width: int, height: int, rows: bytes, *, depth: int = 8, colour: int = GREY, interlaced: int = 0, more: bytes = b""
) -> bytes:
    """A PNG of these unpacked rows, each with its filter byte, and of these further parts."""
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced)
    parts = chunk(b"IHDR", head) + more + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def sixteen(*channels: npt.NDArray[np.float64], colour: int, more: bytes = b"") -> bytes:
    pixels = np.stack(channels, axis=-1).astype(">u2")
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    return png(pixels.shape[1], pixels.shape[0], rows, depth=16, colour=colour, more=more)


def interlaced(*channels: npt.NDArray[np.float64], colour: int) -> bytes:
    pixels = np.stack(channels, axis=-1).astype(">u2")
    passes = ((0, 8, 0, 8), (4, 8, 0, 8), (0, 4, 4, 8), (2, 4, 0, 4), (0, 2, 2, 4), (1, 2, 0, 2), (0, 1, 1, 2))
    rows = b"".join(
        b"\0" + row.tobytes() for left, across, top, down in passes for row in pixels[top::down, left::across]
    )
    return png(pixels.shape[1], pixels.shape[0], rows, depth=16, colour=colour, interlaced=1)


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def drawn(size: int = 32) -> Image.Image:
    """Every pixel another than its neighbours, and no two corners alike."""
    return Image.fromarray((np.arange(size * size).reshape(size, size) * 7 % 251).astype(np.uint8))


FULL = np.full_like(RAMP, 65_535)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(sixteen(RAMP, RAMP, RAMP, colour=RGB), id="RGB"),
        pytest.param(sixteen(RAMP, FULL, colour=GREY_ALPHA), id="grey and alpha"),
        pytest.param(sixteen(RAMP, RAMP, RAMP, FULL, colour=RGBA), id="RGBA"),
        pytest.param(interlaced(RAMP, colour=GREY), id="interlaced grey"),
        pytest.param(interlaced(RAMP, RAMP, RAMP, colour=RGB), id="interlaced RGB"),
        pytest.param(interlaced(RAMP, FULL, colour=GREY_ALPHA), id="interlaced grey and alpha"),
        pytest.param(interlaced(RAMP, RAMP, RAMP, FULL, colour=RGBA), id="interlaced RGBA"),
    ],
)
def test_sixteen_bit_colours_give_the_film_that_sixteen_bit_grey_gives(data: bytes) -> None:
    grey = read_film(sixteen(RAMP, colour=GREY), size=32)

    film = read_film(data, size=32)

    check_film(data)
    assert (film.min(), film.max()) == (0, 255)
    assert np.array_equal(film, grey)


def test_sixteen_bit_colours_are_weighed_as_eight_bit_colours_are() -> None:
    red, green, blue = (np.full((2, 2), value) for value in (0.0, 65_535.0, 0.0))
    red[0, 0] = green[0, 0] = blue[0, 0] = 65_535.0
    green[1, 1] = 0.0

    film = read_film(sixteen(red, green, blue, colour=RGB), size=2)

    assert film.tolist() == [[255, 150], [150, 0]]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(sixteen(RAMP, np.where(RAMP < 2000, 0, 65_535), colour=GREY_ALPHA), id="alpha"),
        pytest.param(sixteen(*[np.where(RAMP < 2000, 7.0, RAMP)] * 3, colour=RGB, more=chunk(b"tRNS", b"\0\7" * 3)), id="RGB"),
        pytest.param(sixteen(np.where(RAMP < 2000, 7.0, RAMP), colour=GREY, more=chunk(b"tRNS", b"\0\7")), id="grey"),
    ],
)  # fmt: skip
def test_what_is_transparent_in_sixteen_bits_is_black_and_does_not_count_for_the_stretching(data: bytes) -> None:
    film = read_film(data, size=32)

    assert film[RAMP < 2000].max() == 0
    assert film[RAMP >= 2000].min() == 0
    assert abs(int(film[RAMP >= 2000][len(film[RAMP >= 2000]) // 2]) - 128) <= 1


@pytest.mark.parametrize("mode", ["LA", "RGBA", "P"])
def test_what_is_transparent_is_black_whatever_colour_lies_below(mode: str) -> None:
    image = Image.new("LA", (8, 8), (200, 255))
    image.paste((255, 0), (0, 0, 8, 4))
    if mode == "P":
        indexed = Image.new("P", (8, 8), 1)
        indexed.putpalette([255, 255, 255, 200, 200, 200])
        indexed.paste(0, (0, 0, 8, 4))
        data = encoded(indexed, transparency=0)
    else:
        data = encoded(image.convert(mode))

    film = read_film(data, size=8)

    assert film[:4].max() == 0
    assert film[4:].min() == film[4:].max() == 200


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(encoded(Image.new("LA", (8, 8), (200, 0))), id="8 bits"),
        pytest.param(sixteen(RAMP, np.zeros_like(RAMP), colour=GREY_ALPHA), id="16 bits"),
    ],
)
def test_a_film_of_which_nothing_can_be_seen_is_refused(data: bytes) -> None:
    with pytest.raises(DataError, match="every pixel of it is transparent"):
        read_film(data, size=8)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_orientation_tag_is_followed(kind: str, orientation: int) -> None:
    upright = Image.new("L", (16, 16), 0)
    upright.paste(120, (8, 0, 16, 8))
    upright.paste(240, (0, 8, 8, 16))
    lying = {
        1: None, 2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = upright if lying is None else upright.transpose(lying)

    film = read_film(encoded(stored, kind, exif=exif), size=16)

    assert [int(film[y, x]) // 100 for y, x in ((4, 4), (4, 12), (12, 4), (12, 12))] == [0, 1, 2, 0]


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_a_damaged_orientation_tag_leaves_the_film_as_it_lies() -> None:
    data = encoded(drawn(), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")

    assert np.array_equal(read_film(data, size=32), read_film(encoded(drawn(), "JPEG"), size=32))


@pytest.mark.parametrize("mode", ["CMYK", "RGB", "L"])
def test_every_usual_jpeg_is_read(mode: str) -> None:
    film = read_film(encoded(Image.new("L", (8, 8), 255).convert(mode), "JPEG"), size=8)

    assert film.min() >= 254


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9])
def test_a_jpeg_that_was_cut_short_is_refused(*, progressive: bool, kept: float) -> None:
    data = encoded(drawn(128), "JPEG", progressive=progressive)

    with pytest.raises(DataError):
        read_film(data[: int(len(data) * kept)], size=32)


@pytest.mark.parametrize("options", [{}, {"optimize": True}, {"restart_marker_blocks": 3}, {"quality": 20}])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_jpeg_whose_pixels_end_early_is_refused_though_its_end_is_there(mode: str, options: dict[str, Any]) -> None:
    """Decoders paint the rest grey, without a word."""
    data = encoded(drawn(128).convert(mode), "JPEG", **options)

    check_film(data)
    check_film(data + b"something behind it")
    for kept in (0.5, 0.8, 0.95):
        with pytest.raises(DataError, match="cut short"):
            check_film(data[: int(len(data) * kept)] + b"\xff\xd9")


@pytest.mark.parametrize("missing", [1, 12, 20, 60])
def test_a_png_that_was_cut_short_is_refused(missing: int) -> None:
    data = encoded(drawn())

    with pytest.raises(DataError, match="cut short"):
        check_film(data[:-missing])


@pytest.mark.parametrize("interlaced", [0, 1])
def test_a_png_whose_pixels_end_early_is_refused_though_every_checksum_fits(interlaced: int) -> None:
    """Pillow fills the rest with black, without a word."""
    data = png(32, 32, bytes(33 * 16), interlaced=interlaced)

    with pytest.raises(DataError, match="% of its pixels: it was cut short"):
        check_film(data)


def test_a_png_with_a_changed_byte_is_refused_but_not_for_a_damaged_comment() -> None:
    whole = png(32, 32, bytes(33 * 32), more=chunk(b"tEXt", b"Comment\0none"))
    pixels, comment = bytearray(whole), bytearray(whole)
    pixels[whole.index(b"IDAT") + 6] ^= 0x10
    comment[whole.index(b"none")] ^= 0x10

    check_film(bytes(comment))
    with pytest.raises(DataError, match="it is damaged"):
        check_film(bytes(pixels))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(b"", "it is empty", id="empty"),
        pytest.param(b"no image", "neither PNG nor JPEG", id="text"),
        pytest.param(bytes(128) + b"DICM", "it is a DICOM file", id="DICOM"),
        pytest.param(encoded(drawn(), "TIFF", compression="tiff_lzw"), "it is a TIFF file; convert it", id="TIFF"),
        pytest.param(encoded(drawn(), "GIF"), "it is a GIF file; convert it", id="GIF"),
        pytest.param(b"<!DOCTYPE html><title>Log in", "it is a web page", id="web page"),
        pytest.param(b"version https://git-lfs.github.com/spec/v1\noid", "fetch the file itself", id="pointer"),
        pytest.param(png(0, 5, b""), "the beginning of the file is damaged", id="no width"),
        pytest.param(png(9_001, 1, bytes(9_002)), "9,001 x 1 pixels; at most 9,000", id="long"),
        pytest.param(png(60_000, 60_000, b"\0"), "too large", id="gigantic"),
        pytest.param(
            encoded(drawn(), save_all=True, append_images=[drawn().rotate(90)]),
            "animation of 2 pictures",
            id="animation",
        ),
    ],
)
def test_what_is_no_film_is_refused_with_the_reason(data: bytes, reason: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        with pytest.raises(DataError, match=reason):
            read_film(data, size=32)


def test_the_ending_of_a_name_does_not_count_but_what_the_file_is() -> None:
    """A JPEG that is called .png, with a second picture behind it as some cameras put it there."""
    data = encoded(drawn(), "MPO", save_all=True, append_images=[drawn()])

    assert read_film(data, size=32).std() > 10
