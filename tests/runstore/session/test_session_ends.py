"""How a run ends with its process: each in a process of its own, over a SQLite file that is read afterwards."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from runstore import Run, open_reader
from runstore.recording.shutdown import is_listener

_LIMIT_S = 120
_BEGIN = (
    "import sys, runstore\nrun = runstore.start_run('e', store=sys.argv[1], packages=False, git_changes=False{more})\n"
)

Program = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'runs.db'}"


@pytest.fixture
def program(tmp_path: Path, url: str) -> Program:
    """Starts a program that has begun a run."""

    def start(text: str, *, more: str = "", begin: str = _BEGIN) -> subprocess.Popen[str]:
        script = tmp_path / "train.py"
        script.write_text(begin.format(more=more) + text)
        return subprocess.Popen(
            [sys.executable, str(script), url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "RUNSTORE_STATE_DIR": str(tmp_path / "state")},
        )

    return start


def finished(process: subprocess.Popen[str]) -> tuple[int, str]:
    """The exit status, and what was written to standard error."""
    _, error = process.communicate(timeout=_LIMIT_S)
    return process.returncode, error


def stopped(process: subprocess.Popen[str]) -> tuple[int, str]:
    """The same, of a program that was sent SIGTERM once it has said that it trains."""
    assert process.stdout is not None
    assert process.stdout.readline() == "training\n"
    process.send_signal(signal.SIGTERM)
    return finished(process)


_TRAINS = "import time\nprint('training', flush=True)\nwhile True: time.sleep(0.01)\n"


def only_run(url: str) -> Run:
    with open_reader(url) as reader:
        (run,) = reader.search_runs().items
        return run


def test_a_program_that_ends_well_without_a_block_leaves_a_completed_run(program: Program, url: str) -> None:
    status, error = finished(program("run.log({'loss': 0.5})"))

    assert (status, only_run(url).status) == (0, "completed")
    assert "completed after" in error


def test_an_exception_that_nobody_catches_leaves_a_failed_run_with_its_traceback(program: Program, url: str) -> None:
    status, _ = finished(program("def train():\n    raise ValueError('bad data')\ntrain()"))

    failure = only_run(url).failure
    assert failure is not None
    assert (status, only_run(url).status, failure.message) == (1, "failed", "bad data")
    assert "in train" in failure.traceback


def test_ctrl_c_that_nobody_catches_leaves_an_interrupted_run(program: Program, url: str) -> None:
    process = program(_TRAINS)
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGINT)

    status, _ = finished(process)

    assert (status, only_run(url).status) == (-signal.SIGINT, "interrupted")


@pytest.mark.parametrize("durable", ["True", "False"])
def test_sigterm_leaves_an_interrupted_run_and_ends_the_process_as_it_would_have(
    program: Program, url: str, durable: str
) -> None:
    status, error = stopped(program(_TRAINS, more=f", durable={durable}"))

    run = only_run(url)
    assert (status, run.status) == (-signal.SIGTERM, "interrupted")
    assert run.failure is not None
    assert "SIGTERM" in run.failure.message
    assert "interrupted after" in error


def test_sigterm_in_the_middle_of_logging_leaves_an_interrupted_run(program: Program, url: str) -> None:
    text = "print('training', flush=True)\nwhile True: run.log({'loss': 0.5})\n"

    status, _ = stopped(program(text))

    assert (status, only_run(url).status) == (-signal.SIGTERM, "interrupted")


def test_sigterm_ends_a_run_of_another_thread_once_the_main_thread_has_opened_a_store(
    program: Program, url: str
) -> None:
    begin = (
        "import sys, threading, runstore\n"
        "def begin():\n    global run\n    run = runstore.start_run('e', store=sys.argv[1], packages=False, git_changes=False)\n"
        "thread = threading.Thread(target=begin); thread.start(); thread.join()\n"
        "store = runstore.open_store(sys.argv[1])\n"
    )

    status, error = stopped(program(_TRAINS, begin=begin))

    assert (status, only_run(url).status) == (-signal.SIGTERM, "interrupted"), error


def test_sigterm_keeps_what_was_printed(program: Program, url: str) -> None:
    stopped(program(_TRAINS, more=", capture_output=True"))

    with open_reader(url) as reader:
        (run,) = reader.search_runs().items
        (name,) = [each.name for each in reader.list_artifacts(run.id) if each.name.startswith("output/")]
        with reader.open_artifact(run.id, name) as file:
            assert "training" in file.read().decode()


def test_a_handler_of_the_program_is_kept_and_what_it_raises_ends_the_run(program: Program, url: str) -> None:
    text = (
        "import signal\ndef stop(*_): raise SystemExit(143)\n"
        "run.finish()\nsignal.signal(signal.SIGTERM, stop)\n"
        "with runstore.start_run('e', name='other', store=sys.argv[1], packages=False, git_changes=False) as run:\n"
        "    import time\n    print('training', flush=True)\n    while True: time.sleep(0.01)\n"
    )

    status, _ = stopped(program(text))

    with open_reader(url) as reader:
        assert status == 143
        assert [run.status for run in reader.search_runs("name = 'other'").items] == ["interrupted"]


def test_a_handler_that_lets_the_program_go_on_lets_the_run_go_on(program: Program, url: str) -> None:
    text = (
        "import signal, time\nrun.finish()\nheard = []\nsignal.signal(signal.SIGTERM, lambda *_: heard.append(1))\n"
        "run = runstore.start_run('e', name='other', store=sys.argv[1], packages=False, git_changes=False)\n"
        "print('training', flush=True)\n"
        "while not heard: time.sleep(0.01)\n"
        "run.log({'loss': 1})\nrun.finish()\n"
    )

    status, _ = stopped(program(text))

    with open_reader(url) as reader:
        assert status == 0
        assert [run.status for run in reader.search_runs("name = 'other'").items] == ["completed"]


@pytest.mark.parametrize("durable", ["True", "False"])
def test_a_later_handler_that_calls_the_one_before_goes_on_after_it(program: Program, url: str, durable: str) -> None:
    text = (
        "import signal, time\nheard = []\nbefore = signal.getsignal(signal.SIGTERM)\n"
        "def stop(*given):\n    before(*given)\n    heard.append(1)\n"
        "signal.signal(signal.SIGTERM, stop)\nprint('training', flush=True)\n"
        "while not heard: time.sleep(0.01)\n"
        "run.log({'loss': 1})\nrun.finish('interrupted')\n"
    )

    status, error = stopped(program(text, more=f", durable={durable}"))

    assert (status, only_run(url).status) == (0, "interrupted"), error
    with open_reader(url) as reader:
        assert len(reader.get_history(only_run(url).id, "loss", "other")) == 1


def test_a_program_that_ignores_sigterm_goes_on_doing_so(program: Program, url: str) -> None:
    text = (
        "import signal, os\nrun.finish()\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "with runstore.start_run('e', name='other', store=sys.argv[1], packages=False, git_changes=False) as run:\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n    run.log({'loss': 1})\n"
    )

    status, _ = finished(program(text))

    with open_reader(url) as reader:
        assert status == 0
        assert [run.status for run in reader.search_runs("name = 'other'").items] == ["completed"]


def test_a_forked_child_that_ends_or_is_terminated_ends_no_run_of_its_parents(program: Program, url: str) -> None:
    text = (
        "import multiprocessing, time\nfork = multiprocessing.get_context('fork')\n"
        "one = fork.Process(target=lambda: run.log({'loss': 1}, step=0)); one.start(); one.join()\n"
        "two = fork.Process(target=time.sleep, args=(60,)); two.start(); two.terminate(); two.join()\n"
        "assert two.exitcode == -15, two.exitcode\n"
        "run.log({'loss': 2}, step=1)\n"
        "assert run.store.get_run(run.id).status == 'in_progress'\n"
    )

    status, error = finished(program(text))

    assert (status, only_run(url).status) == (0, "completed"), error
    with open_reader(url) as reader:
        assert list(reader.get_history(only_run(url).id, "loss", "other").values) == [1.0, 2.0]


def test_a_forked_child_that_ends_leaves_its_parents_output_alone(program: Program, url: str) -> None:
    text = (
        "import os\nprint('before the fork')\n"
        "if os.fork() == 0:\n    sys.exit(0)\n"
        "os.wait()\nprint('after the fork')\nrun.finish()\n"
    )

    status, error = finished(program(text, more=", capture_output=True"))

    assert status == 0, error
    with open_reader(url) as reader:
        run = only_run(url)
        (name,) = [each.name for each in reader.list_artifacts(run.id) if each.artifact_type == "log"]
        with reader.open_artifact(run.id, name) as kept:
            lines = kept.read().splitlines()
    assert [line for line in lines if line.endswith(b" the fork")] == [b"before the fork", b"after the fork"]


def test_the_handler_is_given_back_after_the_last_run(program: Program) -> None:
    text = (
        "import signal\nfrom runstore.session import signals\n"
        "child = run.child()\nchild.finish()\n"
        "assert signal.getsignal(signal.SIGTERM) is signals._on_sigterm\n"
        "run.finish()\n"
        "assert signal.getsignal(signal.SIGTERM) is not signals._on_sigterm\n"
    )

    status, error = finished(program(text))

    assert status == 0, error


def test_a_store_that_was_opened_after_the_run_is_closed_after_it(program: Program, url: str) -> None:
    text = "other = runstore.start_run('e', name='other', store=sys.argv[1], durable=False, packages=False, git_changes=False)"

    finished(program(text))

    with open_reader(url) as reader:
        assert {run.status for run in reader.search_runs().items} == {"completed"}
        assert len(reader.search_runs().items) == 2


def test_a_run_without_a_database_is_on_disk_and_stored_by_sync(tmp_path: Path, url: str, program: Program) -> None:
    text = "run.log({'loss': 0.5})\nimport os\nos._exit(0)"  # nothing is drained, as by a power cut of the process

    finished(program(text))
    subprocess.run(
        [sys.executable, "-m", "runstore", "sync", "--store", url, "--state-dir", str(tmp_path / "state")],
        check=True,
        timeout=_LIMIT_S,
        capture_output=True,
    )

    with open_reader(url) as reader:
        assert list(reader.get_history(only_run(url).id, "loss", "other").values) == [0.5]


def test_the_recorders_own_handler_is_known() -> None:
    assert not is_listener(signal.SIG_DFL)


def test_the_program_of_the_examples_runs(tmp_path: Path) -> None:
    (tmp_path / "roc.png").write_bytes(b"a curve")
    script = Path(__file__).parents[3] / "examples" / "five_lines" / "with_runstore.py"

    subprocess.run(
        [sys.executable, str(script)],
        cwd=tmp_path,
        check=True,
        timeout=_LIMIT_S,
        env={**os.environ, "RUNSTORE_STATE_DIR": str(tmp_path / "state")},
    )

    url = f"sqlite:///{tmp_path / 'runs.db'}"
    with open_reader(url) as reader:
        assert (only_run(url).status, only_run(url).tags) == ("completed", {"owner": "me"})
        assert len(reader.get_history(only_run(url).id, "loss", "train")) == 1000
