"""A segment gives back every whole record, whatever happened to the bytes around it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runstore.recording.frames import (
    CORRUPT,
    FORMAT_VERSION,
    HEADER_SIZE,
    MAGIC,
    TORN_TAIL,
    frame,
    preamble,
    scan,
    version_of,
)

RECORDS = [b"first", b"", b"third " * 20, MAGIC + b" inside", b"last"]


def payloads(data: bytes, *, is_complete: bool = True) -> list[bytes]:
    return [bytes(payload) for payload in scan(data, is_complete=is_complete).payloads]


def test_records_read_back_in_order() -> None:
    data = b"".join(map(frame, RECORDS))

    found = scan(data, is_complete=True)

    assert [bytes(payload) for payload in found.payloads] == RECORDS
    assert (found.damages, found.consumed, found.needed) == ([], len(data), 0)
    assert found.starts == [0, *(len(b"".join(map(frame, RECORDS[:count]))) for count in range(1, 5))]


def test_a_torn_tail_is_skipped_at_every_byte_offset_and_what_stands_before_it_is_read() -> None:
    kept = b"".join(map(frame, RECORDS[:-1]))
    last = frame(RECORDS[-1])

    for offset in range(1, len(last)):
        found = scan(kept + last[:offset], is_complete=True)

        assert [bytes(payload) for payload in found.payloads] == RECORDS[:-1]
        assert [damage.reason for damage in found.damages] == [TORN_TAIL]
        assert found.consumed == len(kept) + offset


def test_a_record_cut_off_at_every_byte_offset_is_left_for_the_next_read_while_more_may_come() -> None:
    kept = frame(b"kept")
    last = frame(b"not whole yet")

    for offset in range(len(last)):
        found = scan(kept + last[:offset], is_complete=False)

        assert [bytes(payload) for payload in found.payloads] == [b"kept"]
        assert (found.damages, found.consumed) == ([], len(kept))
        assert offset == 0 or found.needed > offset


def test_zeros_that_a_power_cut_left_are_a_torn_tail() -> None:
    found = scan(frame(b"kept") + bytes(500), is_complete=True)

    assert [bytes(payload) for payload in found.payloads] == [b"kept"]
    assert [damage.reason for damage in found.damages] == [TORN_TAIL]


def test_one_changed_byte_anywhere_costs_that_record_alone() -> None:
    before, hit, after = frame(b"before"), frame(b"the one that is hit"), frame(b"after")

    for offset in range(len(hit)):
        broken = bytearray(hit)
        broken[offset] ^= 0x41
        found = scan(before + bytes(broken) + after, is_complete=True)

        assert [bytes(payload) for payload in found.payloads] == [b"before", b"after"]
        assert [(damage.start, damage.end, damage.reason) for damage in found.damages] == [
            (len(before), len(before) + len(hit), CORRUPT)
        ]


def test_a_corrupt_last_record_of_full_length_is_named_corrupt() -> None:
    broken = bytearray(frame(b"the last one"))
    broken[-1] ^= 1

    found = scan(bytes(broken), is_complete=True)

    assert (found.payloads, [damage.reason for damage in found.damages]) == ([], [CORRUPT])


def test_a_length_that_was_made_huge_does_not_swallow_the_records_behind_it() -> None:
    broken = bytearray(frame(b"hit"))
    broken[4:8] = b"\xff\xff\xff\x7f"

    assert payloads(bytes(broken) + frame(b"after")) == [b"after"]


@given(st.lists(st.binary(max_size=60), max_size=8), st.data())
def test_whatever_is_done_to_the_bytes_nothing_is_read_that_was_not_written(
    records: list[bytes], data: st.DataObject
) -> None:
    journal = bytearray(b"".join(map(frame, records)))
    for _ in range(data.draw(st.integers(0, 3))):
        if journal:
            journal[data.draw(st.integers(0, len(journal) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(journal)))

    found = scan(bytes(journal[:cut]), is_complete=True)

    remaining = iter(records)
    assert all(bytes(payload) in remaining for payload in found.payloads), "out of order, or never written"
    assert found.consumed == cut
    read = sum(len(payload) + HEADER_SIZE for payload in found.payloads)
    assert read + sum(damage.end - damage.start for damage in found.damages) == cut


def test_the_preamble_names_the_version() -> None:
    assert version_of(preamble()) == FORMAT_VERSION


@pytest.mark.parametrize("head", [b"", preamble()[:-1], b"\0" * 16, b"something other"], ids=ascii)
def test_a_damaged_preamble_names_no_version(head: bytes) -> None:
    assert version_of(head) is None
