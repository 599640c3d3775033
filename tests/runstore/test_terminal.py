"""What is printed ends no command, whatever is behind standard output and error."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import sys
from runstore.local.terminal import lasting_output
with lasting_output() as output:
    for _ in range(2000):
        print("loss \\u2022 caf\\u00e9 \\ud800")
        print("warning \\u2022", file=sys.stderr)
    sys.stdout.flush()
    trouble = output.trouble
print("still here", trouble, file=open(sys.argv[1], "w"))
"""


def run(tmp_path: Path, command: str, **environment: str) -> tuple[int, str, str]:
    """The program's exit status (of a pipe's first part), what came out of the shell, and what it said in the end."""
    (tmp_path / "program.py").write_text(PROGRAM, encoding="utf-8")
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"],
        env={**os.environ, "P": f"{sys.executable} {tmp_path}/program.py {tmp_path}/end", **environment},
        capture_output=True,
        check=False,
    )
    return done.returncode, done.stdout.decode("latin-1"), (tmp_path / "end").read_text(encoding="utf-8").strip()


@pytest.mark.parametrize(
    ("encoding", "line"),
    [("ascii", r"loss \u2022 caf\xe9 \ud800"), ("latin-1", "loss \\u2022 caf\xe9 \\ud800")],
)
def test_what_the_terminal_cannot_show_is_spelled_out(tmp_path: Path, encoding: str, line: str) -> None:
    status, printed, end = run(tmp_path, "$P", PYTHONIOENCODING=encoding)

    assert (status, end) == (0, "still here None")
    assert printed.splitlines()[0] == line
    assert len(printed.splitlines()) == 2000


@pytest.mark.parametrize(
    "command",
    [
        pytest.param("$P | head -1", id="reader left"),
        pytest.param("$P 2>&1 | head -1", id="reader of both left"),
        pytest.param("$P >&-", id="closed"),
        pytest.param("$P 2>&-", id="errors closed"),
        pytest.param("$P >&- 2>&- <&-", id="all closed"),
        pytest.param("$P | true", id="nobody reads"),
    ],
)
@pytest.mark.parametrize("buffering", ["", "1"])
def test_that_nobody_reads_is_no_trouble(tmp_path: Path, command: str, buffering: str) -> None:
    status, _, end = run(tmp_path, command, PYTHONUNBUFFERED=buffering)

    assert (status, end) == (0, "still here None")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_is_told_when_somebody_asks(tmp_path: Path) -> None:
    status, _, end = run(tmp_path, "$P > /dev/full")

    assert status == 0
    assert "No space left on device" in end


def test_the_streams_are_put_back(capsys: pytest.CaptureFixture[str]) -> None:
    from runstore.local.terminal import lasting_output  # noqa: PLC0415 - beside its use

    before = sys.stdout, sys.stderr
    with lasting_output():
        print("in between")  # noqa: T201 - what the test is about

    assert (sys.stdout, sys.stderr) == before
    assert capsys.readouterr().out == "in between\n"
