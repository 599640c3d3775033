"""Copies that are cut off: one error, nothing that looks complete, and the same copy again brings the rest."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from moving.arrivals import LOSS, a_run, columns
from runstore import open_reader, open_store
from runstore.backend import BackendStore, PlacedRun
from runstore.errors import StoreFullError, StoreUnavailableError
from runstore.model import RunStatus
from runstore.moving import Outcome, Trouble, copy, verify
from support.servers import private_server
from support.session import server_or_skip

_POINTS = 250_000
_CHILD = """
import sys
from runstore import open_reader, open_store
from runstore.moving import copy

class Told:
    def sent(self, *, points=0, files=0, size=0):
        print("sent", points, flush=True)
        sys.stdin.readline()  # held here, until it is killed
    def done(self, run_id, outcome): pass
    def failed(self, trouble): pass

with open_reader(sys.argv[1]) as source, open_store(sys.argv[2], durable=False) as target:
    copy(source, target, told=Told())
"""


class Interfering:
    """Does something once, when the first points are in the store."""

    def __init__(self, what: Callable[[], object]) -> None:
        self._what: Callable[[], object] | None = what

    def sent(self, *, points: int = 0, files: int = 0, size: int = 0) -> None:
        del files, size
        if points and self._what is not None:
            what, self._what = self._what, None
            what()

    def done(self, run_id: str, outcome: Outcome) -> None:
        pass

    def failed(self, trouble: Trouble) -> None:
        pass


@pytest.fixture(scope="module")
def long_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A store whose one run has more points than one call takes."""
    url = f"sqlite:///{tmp_path_factory.mktemp('long') / 'source.sqlite'}"
    with open_target(url) as store:
        experiment_id = store.get_or_create_experiment("long")
        store.place_run(PlacedRun.checked(a_run("long", experiment_id=experiment_id)))
        store.append("long", {LOSS: columns([step / 7 for step in range(_POINTS)])})
    return url


def open_target(url: str) -> BackendStore:
    store = open_store(url, durable=False)
    assert isinstance(store, BackendStore)
    return store


def check_goes_on(source_url: str, target_url: str) -> None:
    """The run does not look complete; the next copy sends what is missing, and nothing is missing then."""
    with open_reader(source_url) as source, open_target(target_url) as target:
        assert target.get_run("long").status is RunStatus.IN_PROGRESS
        there = len(target.get_history("long", *LOSS))
        assert 0 < there < _POINTS

        report = copy(source, target)

        assert (report.runs, report.points) == ({Outcome.UPDATED: 1}, _POINTS - there)
        assert verify(source, target).differences == ()
        assert repr(target.get_run("long")) == repr(source.get_run("long"))


def test_a_copy_that_is_killed_goes_on_where_it_was(long_url: str, sqlite_url: str) -> None:
    command = [sys.executable, "-c", _CHILD, long_url, sqlite_url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline().startswith("sent ")
        os.kill(child.pid, signal.SIGKILL)
        child.wait()

    check_goes_on(long_url, sqlite_url)


def test_a_full_disk_is_one_error_and_the_copy_goes_on_once_there_is_room(long_url: str, small_disk: Path) -> None:
    url = f"sqlite:///{small_disk / 'target.sqlite'}"
    with (
        open_reader(long_url) as source,
        open_target(url) as target,
        pytest.raises(StoreFullError, match="full"),
    ):
        copy(source, target)

    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    check_goes_on(long_url, url)


@pytest.mark.server
def test_a_server_that_stops_is_one_error_and_the_copy_goes_on_when_it_is_back(
    long_url: str, request: pytest.FixtureRequest
) -> None:
    server_or_skip("postgresql", request)
    with private_server("postgresql", durable=False) as server:
        url = server.new_database()
        with (
            open_reader(long_url) as source,
            open_target(url) as target,
            pytest.raises(StoreUnavailableError, match="is away or busy"),
        ):
            copy(source, target, told=Interfering(server.stop))
        server.start()

        check_goes_on(long_url, url)
