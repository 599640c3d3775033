"""What Pillow does not tell of a PNG: whether it is whole, and its sixteen-bit colours."""

import io
import struct
import zlib
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from PIL import Image

from pneumo_train.errors import DataError

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY_ALPHA, RGB, RGBA = 4, 2, 6
SIXTEEN = 16

_VALUES = {0: 1, RGB: 3, 3: 1, GREY_ALPHA: 2, RGBA: 4}
"""How many values a pixel has, by the colour type."""

_ADAM7 = ((0, 8, 0, 8), (4, 8, 0, 8), (0, 4, 4, 8), (2, 4, 0, 4), (0, 2, 2, 4), (1, 2, 0, 2), (0, 1, 1, 2))
"""The passes of an interlaced image: first column and step, first row and step."""

_HEAD_END = 33
_PIECE = 1 << 20

Values = npt.NDArray[np.uint16]


def is_png(data: bytes) -> bool:
    """Whether a file's content begins as a PNG does, with a head behind it."""
    return data.startswith(SIGNATURE) and len(data) >= _HEAD_END


def depth_and_colour(data: bytes) -> tuple[int, int]:
    """The bits a value and the colour type that a PNG's head names."""
    return data[24], data[25]


def require_whole(data: bytes) -> None:
    """Refuses a PNG that is cut short or damaged, also where a decoder would fill the rest with black.

    Raises:
        DataError: a part is missing, is not what its checksum says, or holds fewer rows than the head promises.
    """
    pixels = zlib.decompressobj()
    inflated, wanted = 0, _inflated_size(data)
    for kind, content in _chunks(data):
        if kind != b"IDAT":
            continue
        try:
            inflated += _count(pixels, content)
        except zlib.error as error:
            raise DataError(f"its pixels are damaged ({error})") from error
    if inflated < wanted:
        raise DataError(f"it holds {100 * inflated // wanted} % of its pixels: it was cut short")


def sixteen_bit_values(data: bytes) -> Values:
    """The pixels of a sixteen-bit grey-and-alpha, RGB or RGBA image: uint16 of shape (height, width, 2, 3 or 4).

    Pillow keeps the high byte of each value alone. Here it reads the same rows twice, once for each byte.
    """
    _, colour = depth_and_colour(data)
    if colour == GREY_ALPHA:
        # A pixel of two sixteen-bit values is one of four eight-bit values: the file is read as RGBA.
        head = data[12:24] + bytes((8, RGBA)) + data[26:29]
        with Image.open(io.BytesIO(data[:12] + head + struct.pack(">I", zlib.crc32(head)) + data[33:])) as image:
            octets = np.asarray(image, dtype=np.uint16)
        return _joined(octets[..., 0::2], octets[..., 1::2])
    mode = "RGBA" if colour == RGBA else "RGB"
    return _joined(_octets(data, f"{mode};16B"), _octets(data, f"{mode};16L"))


def _joined(high: Values, low: Values) -> Values:
    values = high * np.uint16(256)
    values += low
    return values


def _octets(data: bytes, raw_mode: str) -> Values:
    """One byte of each value: the first by the big-endian raw mode, the second by the little-endian one."""
    with Image.open(io.BytesIO(data)) as image:
        codec, extents, offset, _ = image.tile[0]
        image.tile = [(codec, extents, offset, raw_mode)]  # type: ignore[list-item]  # releases before 11 have no class for it
        return np.asarray(image, dtype=np.uint16)


def _chunks(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """The critical parts of a PNG, to its end; a damaged comment is no reason to refuse a film."""
    view, place, kind = memoryview(data), len(SIGNATURE), b""
    while kind != b"IEND":
        if place + 12 > len(data):
            raise DataError("its end is missing: it was cut short")
        (length,) = struct.unpack_from(">I", data, place)
        kind, end = data[place + 4 : place + 8], place + 8 + length
        if end + 4 > len(data):
            raise DataError("its end is missing: it was cut short")
        is_critical = not kind[0] & 0x20
        if is_critical:
            if zlib.crc32(view[place + 4 : end]) != struct.unpack_from(">I", data, end)[0]:
                raise DataError("a checksum does not fit: it is damaged")
            yield kind, view[place + 8 : end]
        place = end + 4


def _count(pixels: "zlib._Decompress", content: memoryview) -> int:
    """How many bytes come out, never holding more than a piece of them."""
    count, rest = 0, bytes(content)
    while rest and not pixels.eof:
        count += len(pixels.decompress(rest, _PIECE))
        rest = pixels.unconsumed_tail
    return count


def _inflated_size(data: bytes) -> int:
    """How many bytes the rows take: each has one for its filter."""
    width, height = struct.unpack_from(">II", data, 16)
    depth, colour = depth_and_colour(data)
    bits = depth * _VALUES.get(colour, 1)
    passes = _ADAM7 if data[28] else ((0, 1, 0, 1),)
    size = 0
    for left, across, top, down in passes:
        columns, rows = -(-(width - left) // across), -(-(height - top) // down)
        if columns > 0 and rows > 0:
            size += rows * (1 + -(-columns * bits // 8))
    return size
