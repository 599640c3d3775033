"""What a person types for a run: what it means, and what is said when it means nothing or several."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from runstore import InvalidValueError, RunNotFoundError, Store, open_store

START = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)


@pytest.fixture
def store() -> Any:
    with open_store("memory://", durable=False) as opened:
        yield opened


def make(store: Store, *runs: tuple[str, str]) -> str:
    """Runs of these ids and names, a second after one another."""
    experiment_id = store.get_or_create_experiment("lungs")
    for second, (run_id, name) in enumerate(runs):
        store.ensure_run(experiment_id, run_id=run_id, name=name, start_time=START + timedelta(seconds=second))
    return experiment_id


def test_a_whole_id_wins_over_every_name(store: Store) -> None:
    make(store, ("unet", "x"), ("other", "unet"))

    assert store.resolve_run("unet") == "unet"


def test_an_id_may_look_like_a_count_back(store: Store) -> None:
    make(store, ("@1", "x"), ("newest", "y"))

    assert store.resolve_run("@1") == "@1"
    assert store.resolve_run("@2") == "@1"


def test_a_name_and_a_part_of_another_id_are_two_runs(store: Store) -> None:
    make(store, ("run-abcd", "x"), ("other", "abcd"))

    with pytest.raises(InvalidValueError, match="may be each of"):
        store.resolve_run("abcd")


def test_several_are_listed_with_name_start_and_status_and_how_many_there_are(store: Store) -> None:
    make(store, *((f"run-{number}", "same") for number in range(7)))
    store.finalize("run-6", "failed")

    with pytest.raises(InvalidValueError) as caught:
        store.resolve_run("same")

    said = str(caught.value)
    assert said.startswith(
        "'same' may be each of run-6 (same, began 2026-11-21 08:30:06 UTC, failed); run-5 (same, began "
    )
    assert "run-2 " in said
    assert "run-1 " not in said
    assert said.endswith("; and more. Give more of the id")


def test_none_is_told_with_the_names_that_are_like_it(store: Store) -> None:
    experiment_id = make(store, ("run-1", "unet-large"), ("run-2", "vit"))

    with pytest.raises(
        RunNotFoundError, match=r"no run has the id or the name 'unet-lrge', nor .*; did you mean 'unet-large'\?"
    ):
        store.resolve_run("unet-lrge")
    with pytest.raises(RunNotFoundError, match=r"in the experiment .*`runstore runs` lists them"):
        store.resolve_run("nothing like it", experiment_id=experiment_id)


def test_a_short_part_of_an_id_is_none(store: Store) -> None:
    make(store, ("abcdef", "x"))

    with pytest.raises(RunNotFoundError, match="a part of an id takes at least 4 characters"):
        store.resolve_run("abc")
    assert store.resolve_run("abcd") == "abcdef"
    assert store.resolve_run("x") == "abcdef"


def test_counting_back_further_than_there_are_runs_says_how_many_there_are(store: Store) -> None:
    make(store, ("run-1", "x"), ("run-2", "x"))

    with pytest.raises(RunNotFoundError, match=r"@3 means .*there are only 2"):
        store.resolve_run("@3")
    with pytest.raises(
        RunNotFoundError, match=r"^@1 means the newest run, and there are no runs in the experiment 'nobody'"
    ):
        store.resolve_run("@1", experiment_id="nobody")
    with pytest.raises(InvalidValueError, match="@10001 is too far back"):
        store.resolve_run("@10001")
    with pytest.raises(RunNotFoundError, match="'@0'"):
        store.resolve_run("@0")


@pytest.mark.parametrize("reference", ["", "  ", None, 5])
def test_nothing_names_no_run(store: Store, reference: Any) -> None:
    with pytest.raises(InvalidValueError, match="no run is named"):
        store.resolve_run(reference)


def test_wildcards_of_patterns_are_plain_characters(store: Store) -> None:
    make(store, ("abcd_1", "x"), ("abcde1", "y"), ("ab%%cd", "z"))

    assert store.resolve_run("abcd_") == "abcd_1"
    assert store.resolve_run("%%cd") == "ab%%cd"
    with pytest.raises(RunNotFoundError):
        store.resolve_run("a__d")
