"""``runstore copy`` into a store in which somebody works on a run: it asks, for the copy would take that back."""

from pathlib import Path

import pytest

from runstore import open_reader, open_store
from runstore.backend import BackendStore, PlacedRun
from runstore.local.clock import now_us
from runstore.moving.bringing import CUT_OFF_LEASE_S
from support.commands import runstore_here


@pytest.fixture
def urls(tmp_path: Path) -> tuple[str, str]:
    """A store with a run that goes on, and one that has a copy of it."""
    source, target = (f"sqlite:///{tmp_path / name}" for name in ("source.db", "target.db"))
    with open_store(source, durable=False) as store:
        store.ensure_run(store.get_or_create_experiment("ct-seg"), run_id="live", name="unet")
    assert runstore_here("copy", source, target).exit_code == 0
    return source, target


def _status(url: str) -> str:
    with open_reader(url) as reader:
        return reader.get_run("live").status.value


def test_a_run_that_somebody_works_on_in_the_copy_is_not_ended_unasked(urls: tuple[str, str]) -> None:
    with open_store(urls[1], durable=False) as there:
        there.heartbeat("live", lease_s=60.0)
    with open_store(urls[0], durable=False) as store:
        store.finalize("live", "completed")

    refused = runstore_here("copy", *urls)
    elsewhere = runstore_here("copy", *urls, "--filter", "name = 'other' or name = 'resnet'")
    before = _status(urls[1])
    meant = runstore_here("copy", *urls, "--yes")

    assert refused.exit_code == 2
    assert "take 1 run that somebody works on in DST back to what SRC has" in refused.stderr
    assert "--yes" in refused.stderr
    assert (elsewhere.exit_code, before) == (0, "in_progress")
    assert (meant.exit_code, _status(urls[1])) == (0, "completed")


def test_a_run_that_goes_on_where_it_came_from_is_copied_again_without_a_question(urls: tuple[str, str]) -> None:
    with open_store(urls[0], durable=False) as store:
        store.heartbeat("live", lease_s=60.0)

    first = runstore_here("copy", *urls)
    with open_store(urls[0], durable=False) as store:
        store.finalize("live", "failed")
    second = runstore_here("copy", *urls)

    assert (first.exit_code, second.exit_code) == (0, 0)
    assert _status(urls[1]) == "failed"


def test_a_copy_that_was_cut_off_goes_on_without_a_question(urls: tuple[str, str]) -> None:
    with open_store(urls[1], durable=False) as there:
        assert isinstance(there, BackendStore)
        cut_off = PlacedRun.checked(there.get_run("live")).begun(now_us=now_us(), lease_s=CUT_OFF_LEASE_S)
        there.place_run(cut_off)
    with open_store(urls[0], durable=False) as store:
        store.finalize("live", "completed")

    assert runstore_here("copy", *urls).exit_code == 0
    assert _status(urls[1]) == "completed"
