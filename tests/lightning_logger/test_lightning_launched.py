"""What the process that launched others tells of the failure of one of them."""

import importlib
import traceback
from pathlib import Path
from typing import Any

import pytest
from torch.multiprocessing.spawn import ProcessExitedException, ProcessRaisedException, start_processes

from runstore.lightning.launched import failure_of, left_a_launched_function
from runstore.model import RunFailure
from support.waiting import wait_until

pytestmark = pytest.mark.training

TWO_LINES = "out of memory:\n  3 GiB were asked for"


def raised(error: Exception) -> None:
    raise error


def text_of(error: Exception) -> str:
    try:
        raised(error)
    except Exception:  # noqa: BLE001 - its text is what is asked for
        return traceback.format_exc()
    raise AssertionError


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (ValueError(TWO_LINES), "ValueError", TWO_LINES),
        (KeyError(), "KeyError", ""),
        (ProcessExitedException("gone", 0, 1, 9), "torch.multiprocessing.spawn.ProcessExitedException", "gone"),
    ],
)  # fmt: skip
def test_what_a_process_raised_is_told_in_its_own_words(error: Exception, kind: str, message: str) -> None:
    trace = text_of(error)
    caught = ProcessRaisedException(f"\n\n-- Process 1 terminated with the following error:\n{trace}", 1, 4711)

    failure = failure_of(caught)

    assert failure == RunFailure(type=kind, message=message, traceback=trace)


def test_what_no_process_raised_stays_as_it_is() -> None:
    error = ValueError(f"as in {text_of(KeyError('a'))}")

    assert failure_of(error) is error
    assert failure_of(None) is None


def fail(rank: int, folder: str) -> None:
    """Rank 1 is the first to fail, and the other one hears of it; both end before their launcher looks."""
    first = Path(folder, "first")
    if rank == 1:
        first.touch()
        raise ValueError(TWO_LINES)
    wait_until(first.exists, "the other one to fail", pause_s=0.001)
    raise RuntimeError("[third_party/gloo/gloo/transport/tcp/pair.cc:545] Connection reset by peer")


def test_of_several_processes_the_one_is_told_that_no_broken_connection_ended(tmp_path: Path) -> None:
    context = start_processes(fail, (str(tmp_path),), nprocs=2, join=False, start_method="fork")  # type: ignore[no-untyped-call]  # torch's own
    for process in context.processes:
        process.join()

    with pytest.raises(ProcessRaisedException) as caught:
        context.join()

    failure = failure_of(caught.value)
    assert isinstance(failure, RunFailure)
    assert (failure.type, failure.message) == ("ValueError", TWO_LINES)


def test_what_comes_up_while_a_process_writes_down_its_failure_is_its_launchers_business_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spawn: Any = importlib.import_module("torch.multiprocessing.spawn")  # the package has a function of that name
    monkeypatch.setattr(spawn, "_prctl_pr_set_pdeathsig", lambda _: None)

    def fail(_: int) -> None:
        raise ValueError(TWO_LINES)

    with pytest.raises(FileNotFoundError) as caught:
        spawn._wrap(fail, 0, (), tmp_path / "no such folder" / "error")  # noqa: SLF001 - as torch's processes do

    assert left_a_launched_function(caught.value)
    assert not left_a_launched_function(ValueError(TWO_LINES))
