"""The rules of values, each with the place an error must name."""

import datetime as dt
import math
from collections.abc import Iterable, Iterator
from decimal import Decimal
from enum import Enum
from fractions import Fraction

import pytest

from runstore import InvalidValueError, MetricPoint, RunFailure
from runstore.memory import MemoryStore
from runstore.series import check_points
from runstore.values.checks import (
    check_artifact_name,
    check_failure,
    check_name,
    check_number,
    check_run_ids,
    check_time,
    check_word,
)
from runstore.values.ids import experiment_id_of


@pytest.mark.parametrize("name", ["a", "x" * 255, " leading and trailing ", "é/ü@$.%", "名前", "👩‍⚕️", "a\u2028b"])
def test_a_printable_name_is_kept_exactly_as_given(name: str) -> None:
    assert check_name(name, "name") == name


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("", "name is empty"),
        ("x" * 256, "256 characters"),
        ("a\x00b", "NUL"),
        ("a\nb", r"U\+000A at position 1"),
        ("a\x7fb", r"U\+007F"),
        ("\ud800", "lone surrogate"),
        (5, "of type int"),
        (None, "of type NoneType"),
    ],
)
def test_a_bad_name_is_refused_with_the_reason(name: object, told: str) -> None:
    with pytest.raises(InvalidValueError, match=told):
        check_name(name, "name")


class _Scalar:
    """A scalar as numpy and torch have them."""

    def __init__(self, value: object, ndim: int = 0) -> None:
        self.value = value
        self.ndim = ndim

    def item(self) -> object:
        if self.ndim:
            message = "only one element"
            raise ValueError(message)
        return self.value


@pytest.mark.parametrize(
    ("value", "expected"),
    [(1, 1.0), (0.5, 0.5), (_Scalar(3), 3.0), (_Scalar(0.25), 0.25), (Fraction(1, 2), 0.5), (Decimal("0.5"), 0.5)],
)
def test_a_real_scalar_is_taken_as_its_float_value(value: object, expected: float) -> None:
    assert check_number(value, "value") == expected


@pytest.mark.parametrize(
    "value", [True, None, "1", b"1", 1j, _Scalar(value=True), _Scalar(1j), _Scalar(1, ndim=1), [], 10**400, object()]
)
def test_what_is_no_real_number_is_refused(value: object) -> None:
    with pytest.raises(InvalidValueError, match="the_field"):
        check_number(value, "the_field")


@pytest.mark.parametrize(
    ("bad", "place"),
    [
        ({"value": True}, r"points\[2\]\.value"),
        ({"name": "a\x00"}, r"points\[2\]\.name"),
        ({"step": -1}, r"points\[2\]\.step"),
        ({"step": 2**63}, r"points\[2\]\.step"),
        ({"step": True}, r"points\[2\]\.step"),
        ({"step": 1.0}, r"points\[2\]\.step"),
        ({"dataset_type": "val"}, r"points\[2\]\.dataset_type"),
        ({"logged_at": dt.datetime(2026, 1, 1)}, r"points\[2\]\.logged_at"),  # noqa: DTZ001 - a naive time is the case
    ],
)
def test_an_error_names_the_index_and_the_field(bad: dict[str, object], place: str) -> None:
    good = {"name": "loss", "value": 1.0, "step": 0}
    points = [MetricPoint(**good), MetricPoint(**good), MetricPoint(**(good | bad))]  # type: ignore[arg-type]

    with pytest.raises(InvalidValueError, match=place):
        check_points(points, now_us=0)


def test_what_is_no_point_is_refused_by_its_index() -> None:
    with pytest.raises(InvalidValueError, match=r"points\[0\] is \{'name': 'x'\} of type dict"):
        check_points([{"name": "x"}], now_us=0)  # type: ignore[list-item]


def test_within_one_call_the_last_write_of_a_step_wins_and_steps_ascend() -> None:
    points = [
        MetricPoint(name=name, value=value, step=step)
        for name, value, step in [("b", 1, 9), ("a", 2, 5), ("b", 3, 9), ("b", 4, 2)]
    ]

    groups = check_points(points, now_us=7).by_series()

    assert list(groups) == [("a", "other"), ("b", "other")]
    assert list(zip(*groups["b", "other"], strict=True)) == [(2, 4.0, 7), (9, 3.0, 7)]


def test_a_time_is_counted_in_exact_microseconds_from_1970() -> None:
    moment = dt.datetime(2026, 11, 21, 10, 0, 0, 123456, tzinfo=dt.timezone(dt.timedelta(hours=2)))

    assert check_time(moment, "t") == 1_795_248_000_123_456


@pytest.mark.parametrize("name", ["..", "a/../b", "/a", "a//b", "a/", "./a", "a\\b", "", "a\x00"])
def test_an_artifact_name_that_could_leave_its_root_is_refused(name: str) -> None:
    with pytest.raises(InvalidValueError):
        check_artifact_name(name)


@pytest.mark.parametrize("name", ["a", "a/b.ckpt", "...", "..a", "a b/é", "C:x"])
def test_an_ordinary_artifact_name_is_kept(name: str) -> None:
    assert check_artifact_name(name) == name


def test_a_word_has_at_most_fifty_characters() -> None:
    assert check_word("x" * 50, "training_mode") == "x" * 50
    with pytest.raises(InvalidValueError, match="51 characters"):
        check_word("x" * 51, "training_mode")


def test_a_failure_keeps_type_message_and_traceback() -> None:
    try:
        math.sqrt(-1)
    except ValueError as error:
        failure = check_failure(error)

    assert failure is not None
    assert (failure.type, "domain error" in failure.message or "nonnegative" in failure.message) == ("ValueError", True)
    assert "math.sqrt(-1)" in failure.traceback


def test_odd_characters_in_a_failure_are_escaped_because_an_ending_must_never_be_refused() -> None:
    failure = check_failure(RunFailure(type="E", message="a\x00b\ud800", traceback="t"))

    assert failure is not None
    assert failure.message == "a\\x00b\\ud800"


@pytest.mark.parametrize(
    ("points", "told"),
    [
        (MetricPoint("loss", 1.0, 1), r"points is one MetricPoint; give a list.*\[point\]"),
        (
            {"loss": 1},
            r"points is \{'loss': 1\} of type dict; give a list with a MetricPoint for each name: \[MetricPoint",
        ),
        ("loss", "points is 'loss' of type str; give a list of MetricPoint"),
        (1.0, r"points is 1\.0 of type float; give a list"),
        (None, "points is None of type NoneType; give a list"),
        (
            [("loss", 1.0, 1)],
            r"points\[0\] is \('loss', 1\.0, 1\) of type tuple; give a MetricPoint: MetricPoint\(name=",
        ),
    ],
)
def test_points_that_are_none_are_refused_with_how_to_give_them(points: object, told: str) -> None:
    with pytest.raises(InvalidValueError, match=told):
        check_points(points, now_us=0)  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.parametrize(
    "points", [iter([MetricPoint("a", 1, 2)]), {MetricPoint("a", 1, 2)}, (MetricPoint("a", 1, 2),)]
)
def test_points_may_come_in_anything_that_gives_them(points: Iterable[MetricPoint]) -> None:
    assert check_points(points, now_us=0).series == [("a", "other")]


def test_a_point_may_be_made_without_the_names_of_what_it_must_have() -> None:
    assert MetricPoint("loss", 1.0, 3) == MetricPoint(name="loss", value=1.0, step=3)


class Words(str, Enum):  # noqa: UP042 - a StrEnum's text is its value; this one's is not
    SEG = "ct-seg"


def test_a_member_of_an_enum_of_texts_is_its_text() -> None:
    kept = check_name(Words.SEG, "name")

    assert (kept, type(kept)) == ("ct-seg", str)
    assert experiment_id_of(kept) == experiment_id_of("ct-seg")


class Array:
    """As an array of several numbers."""

    def __bool__(self) -> bool:
        raise ValueError("the truth value of an array is ambiguous")

    def __iter__(self) -> Iterator[float]:
        raise TypeError("iteration over a 0-d array")


@pytest.mark.parametrize("argument", ["provenance", "resume"])
def test_an_array_in_the_place_of_another_argument_is_refused_by_name(argument: str) -> None:
    with MemoryStore() as store, pytest.raises(InvalidValueError, match=argument):
        store.ensure_run(store.get_or_create_experiment("e"), **{argument: Array()})  # type: ignore[arg-type]  # wrong on purpose


def test_an_array_without_a_dimension_is_no_list() -> None:
    with pytest.raises(InvalidValueError, match="points is"):
        check_points(Array(), now_us=0)  # type: ignore[arg-type]  # wrong on purpose
    with pytest.raises(InvalidValueError, match="run_ids is"):
        check_run_ids(Array())


@pytest.mark.parametrize(("value", "text"), [(1, "'1'"), (0.5, "'0.5'"), (True, "'True'")])
def test_a_tag_that_is_a_number_is_told_its_text(value: object, text: str) -> None:
    with MemoryStore() as store:
        experiment_id = store.get_or_create_experiment("e")
        run_id = store.ensure_run(experiment_id)

        for call in (
            lambda: store.ensure_run(experiment_id, tags={"fold": value}),  # type: ignore[dict-item]  # wrong on purpose
            lambda: store.set_tags(run_id, {"fold": value}),  # type: ignore[dict-item]  # wrong on purpose
        ):
            with pytest.raises(
                InvalidValueError, match=rf"tags\['fold'\] is {value} .*, and a tag is a text; give a str: {text}"
            ):
                call()
