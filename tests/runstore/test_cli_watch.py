"""A screen that is drawn again until Ctrl-C."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
import pytest

from runstore import MetricPoint, RunStore, open_store
from runstore.cli import watching
from runstore.errors import StoreUnavailableError
from support.commands import RUNSTORE, environment, terminal

_WAIT_S = 60


@contextmanager
def _watched(*arguments: str, stdout: int) -> Iterator["subprocess.Popen[bytes]"]:
    with subprocess.Popen(
        [*RUNSTORE, *arguments, "--watch"], stdout=stdout, stderr=stdout, env=environment(TERM="xterm")
    ) as running:
        try:
            yield running
        finally:
            running.kill()


def _until(read: Callable[[], bytes], wanted: bytes) -> bytes:
    seen = b""
    while wanted not in seen:
        more = read()
        assert more, seen
        seen += more
    return seen


@pytest.fixture
def store(sqlite_url: str) -> Iterator[RunStore]:
    """An open store with one experiment."""
    with open_store(sqlite_url, durable=False) as opened:
        opened.get_or_create_experiment("lungs")
        yield opened


@pytest.mark.parametrize("command", ["runs", "show"])
def test_on_a_terminal_what_is_new_appears_and_ctrl_c_is_no_failure(
    store: RunStore, sqlite_url: str, command: str
) -> None:
    run_id = store.ensure_run(store.get_or_create_experiment("lungs"), name="first")
    arguments = [command, *([run_id] if command == "show" else []), "--store", sqlite_url]
    with terminal(columns=120) as (ours, theirs), _watched(*arguments, stdout=theirs) as running:
        os.close(theirs)
        first = _until(lambda: os.read(ours, 2**16), b"first")
        store.log_metrics(run_id, [MetricPoint("auroc", 0.8125, 0, "validation")])
        _until(lambda: os.read(ours, 2**16), b"0.8125")
        running.send_signal(signal.SIGINT)

        assert running.wait(_WAIT_S) == 0
    assert b"Ctrl-C ends" in first
    store.finalize(run_id, "completed")


def test_in_a_pipe_only_what_has_changed_is_printed(store: RunStore, sqlite_url: str) -> None:
    experiment_id = store.get_or_create_experiment("lungs")
    reading, writing = os.pipe()
    with _watched("runs", "--store", sqlite_url, stdout=writing) as running:
        os.close(writing)
        _until(lambda: os.read(reading, 2**16), b"There are no runs yet.\n")
        run_id = store.ensure_run(experiment_id, name="first")
        said = _until(lambda: os.read(reading, 2**16), b"first")
        store.finalize(run_id, "completed")
        said += _until(lambda: os.read(reading, 2**16), b"completed")
        running.send_signal(signal.SIGINT)

        assert running.wait(_WAIT_S) == 0
    os.close(reading)
    assert b"\x1b" not in said
    assert said.count(b"started") == 2


def test_an_outage_is_told_and_the_screen_comes_back(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "WATCH_S", 0.0)
    screens = iter(["first", StoreUnavailableError("the database does not answer"), "second", KeyboardInterrupt()])

    def draw() -> None:
        found = next(screens)
        if isinstance(found, BaseException):
            raise found
        click.echo(found)

    watching.watch(draw)

    assert capsys.readouterr().out.split("\n\n") == [
        "first",
        "the database does not answer; trying again every 0 s",
        "second\n",
    ]
