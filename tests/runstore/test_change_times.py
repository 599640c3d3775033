"""When each thing of a run was changed last: what is kept of it is bounded, and reads back."""

import pytest
from msgspec import UNSET

from runstore.backend import RunChange
from runstore.backend.times import MOST_GONE_TAGS, ChangeTimes


def test_what_is_kept_reads_back() -> None:
    times = ChangeTimes.of(None).with_change(5, ["name"], tags=["a.b", "🫁"], gone=["name"]).with_change(7, ["note"])

    assert ChangeTimes.of(times.text) == times
    assert times.text == '{"5":["name","tag.a.b","tag.🫁","gone.name"],"7":["note"]}'


def test_of_removed_tags_the_last_ones_are_remembered_and_of_those_that_are_there_all() -> None:
    times = ChangeTimes.of(None).with_change(1, tags=[f"kept {number}" for number in range(3 * MOST_GONE_TAGS)])
    for number in range(MOST_GONE_TAGS + 5):
        times = times.with_change(10 + number, gone=[f"gone {number}"])

    assert times.is_tag_newer("kept 0", 0)
    assert [times.is_tag_newer(f"gone {number}", 0) for number in (0, 4, 5)] == [False, False, True]
    assert len(times.by_what) == 4 * MOST_GONE_TAGS


def test_a_tag_that_is_set_again_is_no_removed_one() -> None:
    times = ChangeTimes.of(None).with_change(5, gone=["a"]).with_change(3, tags=["a"])

    assert times.by_what == {"tag.a": 5}


@pytest.mark.parametrize("is_late", [False, True])
def test_a_change_of_now_stands_whatever_its_clock_says_and_a_late_one_only_where_it_is_not_older(
    *, is_late: bool
) -> None:
    _, text = RunChange(at_us=9, name="first", new_tags={"a": "1"}).standing(None, deleted_us=None)

    change, after = RunChange(
        at_us=8, name="second", note="n", new_tags={"a": "2", "b": "2"}, is_late=is_late
    ).standing(text, deleted_us=None)

    assert (change.name, change.note) == (UNSET if is_late else "second", "n")
    assert change.new_tags == ({"b": "2"} if is_late else {"a": "2", "b": "2"})
    assert ChangeTimes.of(after).by_what == {"name": 9, "note": 8, "tag.a": 9, "tag.b": 8}
