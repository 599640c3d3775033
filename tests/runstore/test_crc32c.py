"""The checksum of event files."""

import random
from typing import Final

import pytest

from runstore.local.crc32c import masked_crc32c, masked_crc32cs

KNOWN: Final = [(b"123456789", 0xE3069283), (b"", 0), (b"\0" * 32, 0x8A9136AA), (b"\xff" * 32, 0x62A8AB43)]
"""From RFC 3720, appendix B.4, and the catalogue of CRCs."""


@pytest.mark.parametrize(("text", "crc"), KNOWN)
def test_it_is_the_published_sum_turned_and_shifted(text: bytes, crc: int) -> None:
    assert masked_crc32c(text) == ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


@pytest.mark.parametrize(
    ("length", "count"), [(1, 40), (2, 40), (35, 1000), (64, 31), (513, 40), (0, 40), (512, 40), (9, 1)]
)
def test_many_of_one_length_have_the_sums_that_each_has_alone(length: int, count: int) -> None:
    drawn = random.Random(length)
    texts = [b"head"[: length // 2] + drawn.randbytes(length - min(4, length // 2)) for _ in range(count)]

    assert list(masked_crc32cs(texts)) == [masked_crc32c(text) for text in texts]


def test_of_nothing_there_is_nothing() -> None:
    assert list(masked_crc32cs([])) == []
    assert list(masked_crc32cs([b"same"] * 50)) == [masked_crc32c(b"same")] * 50
