"""What Pillow does not tell of a JPEG: that its pixels end early, before a well-formed end of the file."""

import io
import re

from PIL import Image

from pneumo_train.errors import DataError

SIGNATURE = b"\xff\xd8"

_MARKER = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])")
"""What ends the compressed pixels: anything but an escaped 0xFF and the markers that only divide them."""

_START_OF_SCAN, _END = 0xDA, 0xD9
_BASELINE = frozenset({0xC0, 0xC1})
_LOOK_AHEAD = bytes(16)
"""The decoder reads up to eight bytes further than it needs."""


def require_whole(data: bytes) -> None:
    """Refuses a baseline JPEG whose pixels end before the picture does.

    A decoder that comes to the end marker too early paints the rest grey and is content. Without the marker it asks for
    more bytes instead. So the pixels are decoded once (an eighth of the size, which is quick) with the marker taken away.
    Of a progressive JPEG nothing can be told so: there a missing scan is a coarser picture.

    Raises:
        DataError: it was cut short.
    """
    end = _end_of_pixels(data)
    if end is None:
        return
    with Image.open(io.BytesIO(data[:end] + _LOOK_AHEAD), formats=("JPEG",)) as image:
        image.draft("L", (1, 1))
        try:
            image.load()
        except OSError as error:
            raise DataError("its pixels end early: it was cut short") from error


def _end_of_pixels(data: bytes) -> int | None:
    """Where the only scan of a baseline JPEG ends, if it is one."""
    place, is_baseline = len(SIGNATURE), False
    while place + 4 <= len(data) and data[place] == 0xFF:  # noqa: PLR2004 - how every marker begins
        marker, length = data[place + 1], int.from_bytes(data[place + 2 : place + 4])
        is_baseline = is_baseline or marker in _BASELINE
        place += 2 + length
        if marker == _START_OF_SCAN:
            found = _MARKER.search(data, place) if is_baseline else None
            return found.start() if found is not None and found[1][0] == _END else None
    return None
