"""Each tool's page: how its server is started, and where a person finds what. One class a tool."""

import os
import signal
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

import psutil

from benchmarks.data import RunData
from benchmarks.pages import contents
from benchmarks.pages.contents import ARCHITECTURE, CURVES, LEAST, NAMES, TABLE

_START_S: Final = 180
_SAMPLE_S: Final = 0.2
_QUIET: Final = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "HF_HUB_OFFLINE": "1",
    "BROWSER": "true",  # a program that does nothing: Trackio opens its page in a browser otherwise
    "GIT_PYTHON_REFRESH": "quiet",
    "PYTHONWARNINGS": "ignore",
}


class Seen(NamedTuple):
    """What is waited for: so many visible elements within the window with a text in them, or with any."""

    selector: str
    text: str = ""
    count: int = 1


class Chooser(NamedTuple):
    """Where columns are chosen.

    Attributes:
        table: the address of the table.
        row: what is seen of it.
        button: what is pressed there.
        names: what is seen then.
        search: the field that finds a name.
        found: what is seen of the name that was looked for.
    """

    table: str
    row: Seen
    button: str
    names: Seen
    search: str
    found: Seen


class Page:
    """A tool's page over one store. ``None`` for an address says that the tool has no such view."""

    first = "/"
    """What the first request asks for."""

    rows = "tr, [role=row]"

    def __init__(self, name: str, python: Path, place: str) -> None:
        self.name = name
        self.python = python
        self.place = place

    def command(self, port: int) -> list[str]:
        """What starts its server."""
        raise NotImplementedError

    def environment(self) -> dict[str, str]:
        """What is set for its server."""
        return {}

    def table(self) -> str:
        """The address of the table of runs."""
        raise NotImplementedError

    def row(self, name: str) -> Seen:
        """A row of the table."""
        return Seen(self.rows, name)

    def ask(self, page: Any) -> None:
        """Types the question."""
        raise NotImplementedError

    def send(self, page: Any) -> None:
        """Does what the question is answered upon."""
        page.keyboard.press("Enter")

    def expected(self, runs: list[RunData]) -> list[str]:
        """The names of the runs that answer the question, the first to be shown first."""
        return contents.matching(runs)

    def curves(self) -> tuple[str, Seen] | None:
        """The address of the long curves over each other, and what is seen once they are drawn."""
        return None

    def columns(self) -> "Chooser | None":
        """Where columns are chosen among many names."""
        return None


class Ours(Page):
    def command(self, port: int) -> list[str]:
        return [str(self.python.with_name("runstore")), "ui", "--store", self.place, "--port", str(port)]

    def table(self) -> str:
        return f"/?experiment={TABLE}"

    def ask(self, page: Any) -> None:
        page.fill("#filter", f"config.architecture = '{ARCHITECTURE}' and metric.train.metric0.last > {LEAST}")

    def curves(self) -> tuple[str, Seen]:
        runs = [("run", f"curve{number:02}") for number in range(contents.CURVE_RUNS)]
        return f"/compare?{urlencode(runs)}#charts", Seen("figure.chart .drawn", " points")

    def columns(self) -> Chooser:
        return Chooser(
            table=f"/?experiment={NAMES}",
            row=self.row("named-0"),
            button="a:text-is('Columns')",
            names=Seen("#offered label", count=5),
            search="#search",
            found=Seen("#offered label", contents.WANTED),
        )


class Mlflow(Page):
    def command(self, port: int) -> list[str]:
        store = ("--backend-store-uri", f"sqlite:///{self.place}", "--default-artifact-root", f"{self.place}-artifacts")
        return [str(self.python.with_name("mlflow")), "server", *store, "--port", str(port)]

    def table(self) -> str:
        return "/#/experiments/1/runs"

    def ask(self, page: Any) -> None:
        page.get_by_placeholder("metrics.rmse").fill(
            f"params.architecture = '{ARCHITECTURE}' and metrics.metric0 > {LEAST}"
        )

    def curves(self) -> tuple[str, Seen]:
        return "/#/experiments/2/runs?compareRunsMode=CHART", Seen(
            ".js-plotly-plot .legend, .js-plotly-plot .scatterlayer .js-line, .js-plotly-plot canvas"
        )


class Trackio(Page):
    """Its table of runs asks the server once for each run, and Chromium refuses so many thousand requests: it stays empty. So
    the list of its first page is looked at, which has names, and is narrowed by a part of a name, upon each letter."""

    rows = "label"

    def command(self, port: int) -> list[str]:
        self.port = port
        return [str(self.python.with_name("trackio")), "show", "--project", TABLE]

    def environment(self) -> dict[str, str]:
        return {"TRACKIO_DIR": self.place, "GRADIO_SERVER_PORT": str(self.port)}

    def table(self) -> str:
        return f"/?project={TABLE}"

    def ask(self, page: Any) -> None:
        page.get_by_placeholder("Type to filter").focus()

    def send(self, page: Any) -> None:
        page.get_by_placeholder("Type to filter").fill("run-000777")

    def expected(self, runs: list[RunData]) -> list[str]:
        return [run.name for run in reversed(runs) if run.name.startswith("run-000777")]

    def curves(self) -> tuple[str, Seen]:
        return f"/?project={CURVES}", Seen(".vega-embed canvas")


class Server(NamedTuple):
    """A page's server that answers."""

    address: str
    started_s: float
    memory: "Memory"


class Memory:
    """The greatest memory of a process and all below it, shared pages divided among those who share them (PSS)."""

    def __init__(self, process: int) -> None:
        self._root = psutil.Process(process)
        self._stop = threading.Event()
        self.peak_mb = 0.0
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._stop.wait(_SAMPLE_S):
            try:
                tree = [self._root, *self._root.children(recursive=True)]
            except psutil.NoSuchProcess:
                return
            self.peak_mb = max(self.peak_mb, sum(map(_pss_mb, tree)))

    def stop(self) -> None:
        """Looks no more."""
        self._stop.set()
        self._thread.join()


def _pss_mb(process: psutil.Process) -> float:
    try:
        text = Path(f"/proc/{process.pid}/smaps_rollup").read_text()
    except OSError:  # it has just ended
        return 0.0
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")) * 1024 / 1e6


@contextmanager
def serving(page: Page, log: Path) -> Iterator[Server]:
    """Starts a page's server, and ends it with all processes below it.

    Raises:
        TimeoutError: it does not answer within three minutes.
    """
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = page.command(port)
    environment = {**os.environ, **_QUIET, **page.environment()}
    with log.open("w") as output:
        began = time.perf_counter()
        process = subprocess.Popen(
            command, stdout=output, stderr=output, env=environment, cwd=log.parent, start_new_session=True
        )
    memory = Memory(process.pid)
    try:
        address = f"http://127.0.0.1:{port}"
        _wait(f"{address}{page.first}", process, log)
        yield Server(address, time.perf_counter() - began, memory)
    finally:
        memory.stop()
        below = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
        process.send_signal(signal.SIGTERM)
        psutil.wait_procs(below, timeout=5)
        for each in [*below, psutil.Process(process.pid)] if process.poll() is None else below:
            if each.is_running():
                each.kill()
        process.wait()


def _wait(address: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + _START_S
    while time.monotonic() < until:
        if process.poll() is not None:
            raise TimeoutError(f"its server has ended: {log.read_text()[-300:]}")
        try:
            with urllib.request.urlopen(address, timeout=30) as answer:
                answer.read()
                return
        except OSError:
            time.sleep(0.01)
    raise TimeoutError(f"it did not answer within {_START_S} s: {log.read_text()[-300:]}")
