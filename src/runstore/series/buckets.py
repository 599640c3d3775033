"""How a range of steps, or of time, is cut into buckets: for samples, for grids, and for the cells of roll-ups.

The edges of all buckets lie at multiples of powers of two. So each bucket of a coarser cut is a union of whole buckets of
a finer one, and what was summed up once for the finer serves all coarser ones.
"""

from typing import Final, Protocol

from msgspec import Struct

_MOST_BITS: Final = 63
"""Steps have no more; nor have microseconds, on either side of zero."""


_OCTAVE_BITS: Final = 7
"""``2**_OCTAVE_BITS`` octaves hold all numbers."""


class Buckets(Protocol):
    """A cut of the whole numbers into ranges that follow one another."""

    def index(self, number: int) -> int:
        """The bucket that a number falls into."""
        ...

    def start(self, index: int) -> int:
        """The least number of a bucket."""
        ...


class EqualBuckets(Struct, frozen=True):
    """Buckets of ``2**bits`` numbers each, the first of which begins at zero."""

    bits: int

    def index(self, number: int) -> int:
        """The bucket that a number falls into."""
        return number >> self.bits

    def start(self, index: int) -> int:
        """The least number of a bucket."""
        return index << self.bits

    @classmethod
    def within(cls, first: int, last: int, most: int) -> "EqualBuckets":
        """The narrowest buckets of which at most so many hold the numbers from first to last."""
        bits = max(((last - first) // most).bit_length() - 1, 0)
        while (last >> bits) - (first >> bits) >= most and bits <= _MOST_BITS:
            bits += 1
        return cls(bits)


class OctaveBuckets(Struct, frozen=True):
    """Buckets for an axis of logarithms: each octave, from one power of two to the next, in ``2**bits`` equal parts.

    Where an octave has fewer numbers, each number is a bucket. Negative ``bits`` make ``2**-bits`` octaves one bucket.
    """

    bits: int

    def index(self, number: int) -> int:
        """The bucket that a number, which is not negative, falls into."""
        if self.bits < 0:
            return number.bit_length() >> -self.bits
        below = number.bit_length() - 1 - self.bits
        return number if below <= 0 else (below << self.bits) + (number >> below)

    def start(self, index: int) -> int:
        """The least number of a bucket."""
        if self.bits < 0:
            octave = index << -self.bits
            return 1 << (octave - 1) if octave else 0
        below = max((index >> self.bits) - 1, 0)
        return (index - (below << self.bits)) << below

    @classmethod
    def within(cls, first: int, last: int, most: int) -> "OctaveBuckets":
        """The narrowest buckets of which at most so many hold the numbers from first to last."""
        bits = min(most.bit_length(), _MOST_BITS)
        while (cut := cls(bits)).index(last) - cut.index(first) >= most and bits > -_OCTAVE_BITS:
            bits -= 1
        return cls(bits)


def width_bits(buckets: Buckets, first: int, last: int) -> list[tuple[int, int, int]]:
    """The parts of a range in which all buckets are unions of whole aligned ranges of ``2**bits`` numbers.

    Returns:
        First and last number of each part, and its ``bits``: the greatest that hold for the part.
    """
    if isinstance(buckets, EqualBuckets):
        return [(first, last, buckets.bits)]
    parts = []
    low = first
    while low <= last:
        octave = max(low.bit_length() - 1, 0)
        high = min(last, (1 << (octave + 1)) - 1)
        width = buckets.start(buckets.index(low) + 1) - buckets.start(buckets.index(low))
        parts.append((low, high, min(width.bit_length() - 1, octave)))
        low = high + 1
    return parts
