"""Films that are nearly the same: 256 signs of each, whether the grey rises from one of 17 x 16 fields to the next.

A copy that was saved anew, made smaller, or made brighter keeps nearly all of its signs; one that was shifted or cut does
not, and is not found.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from PIL import Image

from pneumo_train.images.film import GreyArray

SIGNS = 256
MOST_APART = 10
"""Signs in which two films may differ and count as one. Of Kermany's 5,232 films, every pair up to here is equal byte for
byte, and the pairs from 12 on are of different children; of copies saved as JPEG at a quality of 50, 99 % are found."""

_SIDE = 16
_ROWS = 2048

Sketches = npt.NDArray[np.int8]


def sketch_of(film: GreyArray) -> Sketches:
    """The signs of a film: int8 of shape (256,), 1 where the grey rises to the right, else -1; all -1 for one grey alone."""
    fields = np.asarray(Image.fromarray(film).resize((_SIDE + 1, _SIDE), Image.Resampling.BOX), dtype=np.int16)
    return np.where(fields[:, 1:] > fields[:, :-1], 1, -1).astype(np.int8).ravel()


def near_pairs(first: Sketches, second: Sketches) -> Iterator[tuple[int, int]]:
    """The positions of each film of the first and each of the second that are nearly the same; blank films are like none.

    Args:
        first: int8 of shape (films, 256).
        second: likewise.
    """
    least = SIGNS - 2 * MOST_APART
    others = second.astype(np.float32).T
    drawn = (second == 1).any(axis=1)
    for start in range(0, len(first), _ROWS):
        rows = first[start : start + _ROWS]
        alike = (rows.astype(np.float32) @ others >= least) & drawn & (rows == 1).any(axis=1)[:, None]
        for row, column in zip(*np.nonzero(alike), strict=True):
            yield start + int(row), int(column)
