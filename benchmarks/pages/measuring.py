"""All tools do the same in turn, round after round, each with a server that has just been started."""

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from benchmarks.environments import OURS_PAGE, Environments
from benchmarks.pages import contents, filling
from benchmarks.pages.contents import Sizes
from benchmarks.pages.looking import looking
from benchmarks.pages.shown import Chooser, Mlflow, Ours, Page, Server, Trackio, serving
from benchmarks.places import Places
from support.browser import chromium

Result = dict[str, Any]
Keep = Callable[[Result], None]
_TYPED_S: Final = 0.5
"""Between typing and Enter: what a page does while one types is over by then."""
_SHOWN: Final = r"""(rows) => [...document.querySelectorAll(rows)].flatMap((row) => {
  const inner = [...row.querySelectorAll("*")].filter((each) => !each.childElementCount);
  return [...inner, row].map((each) => each.textContent.trim()).find((text) => /^run-\d{6}(-\d+)?$/.test(text)) ?? [];
})"""
_OURS, _MANY = "runstore/sqlite", "runstore/sqlite, many"
_ON_SERVERS: Final = ("runstore/postgresql", "runstore/mongodb")
_MLFLOW, _TRACKIO = "MLflow/sqlite", "Trackio/sqlite"


def prepare(stores: Path, environments: Environments, sizes: Sizes, takes_part: Callable[[str], bool]) -> None:
    """Makes the environments, and the stores that are files; those that are there already stay."""
    for name, fill in _files(environments, sizes).items():
        if takes_part(name):
            place = _place(stores, name, sizes)
            if not (place / "filled").exists():
                shutil.rmtree(place, ignore_errors=True)
                place.mkdir(parents=True)
                fill(place)
                (place / "filled").touch()


def _files(environments: Environments, sizes: Sizes) -> dict[str, Callable[[Path], None]]:
    many = Sizes(sizes.many_runs, 0, 0, 0)
    found: dict[str, Callable[[Path], None]] = {
        _OURS: lambda place: filling.fill_ours(f"sqlite:///{place}/runs.db", sizes),
        _MLFLOW: lambda place: filling.fill_mlflow(environments.python("mlflow"), place / "mlflow.db", sizes),
        _TRACKIO: lambda place: filling.fill_trackio(environments.python("trackio"), place, sizes),
    }
    if sizes.many_runs:
        found[_MANY] = lambda place: filling.fill_ours(f"sqlite:///{place}/runs.db", many)
    return found


def _place(stores: Path, name: str, sizes: Sizes) -> Path:
    return stores / f"{name.replace('/', '-').replace(', ', '-')}-{'-'.join(map(str, sizes))}".lower()


class Showing(Struct, frozen=True, kw_only=True):
    """A page, the sizes of what its store has, and the names that answer the question, the first first."""

    page: Page
    sizes: Sizes
    expected: Sequence[str]

    @classmethod
    def of(cls, page: Page, sizes: Sizes) -> "Showing":
        """Makes the answer that is expected."""
        return cls(page=page, sizes=sizes, expected=page.expected(filling.table_of(sizes.runs)))


class Measuring(Struct, kw_only=True):
    """What is measured with what, of one run of the suite.

    Attributes:
        stores: where the stores that are files are kept.
        takes_part: whether a contestant is asked for.
        places: gives databases on servers.
        logs: a folder for what the pages' servers say.
        keep: takes each result.
    """

    stores: Path
    environments: Environments
    sizes: Sizes
    takes_part: Callable[[str], bool]
    places: Places
    logs: Path
    keep: Keep

    def run(self, rounds: int) -> None:
        """Measures all pages in turn, round after round."""
        prepare(self.stores, self.environments, self.sizes, self.takes_part)
        with ExitStack() as stack:
            showings = list(self._showings(stack))
            browser = stack.enter_context(chromium())
            tellers = [_Teller(showing.page.name, self.keep) for showing in showings]
            for number in range(rounds):
                for showing, teller in zip(showings, tellers, strict=True):
                    teller.number = number
                    _look(showing, browser, self.logs / f"page-{time.monotonic_ns()}.log", teller)

    def _showings(self, stack: ExitStack) -> Iterator[Showing]:
        sizes, python = self.sizes, self.environments.python
        if self.takes_part(_OURS):
            yield Showing.of(Ours(_OURS, python(OURS_PAGE), f"sqlite:///{self._place(_OURS)}/runs.db"), sizes)
        if self.takes_part(_OURS) and sizes.many_runs:
            page = Ours(_OURS, python(OURS_PAGE), f"sqlite:///{self._place(_MANY)}/runs.db")
            yield Showing.of(page, Sizes(sizes.many_runs, 0, 0, 0))
        for name in _ON_SERVERS:
            if self.takes_part(name):
                place = self.places.new(name.partition("/")[2])
                stack.callback(place.release)
                only_table = Sizes(sizes.runs, 0, 0, 0)
                filling.fill_ours(place.url, only_table)
                place.settle()
                yield Showing.of(Ours(name, python(OURS_PAGE), place.url), only_table)
        if self.takes_part(_MLFLOW):
            yield Showing.of(Mlflow(_MLFLOW, python("mlflow"), f"{self._place(_MLFLOW)}/mlflow.db"), sizes)
        if self.takes_part(_TRACKIO):
            yield Showing.of(Trackio(_TRACKIO, python("trackio"), str(self._place(_TRACKIO))), sizes)

    def _place(self, name: str) -> Path:
        return _place(self.stores, name, self.sizes)


class _Teller:
    """Keeps the results of one page, and what was once too slow for it, which is not tried again."""

    def __init__(self, name: str, keep: Keep) -> None:
        self.number = 0
        self._name, self._keep = name, keep
        self._failed: set[str] = set()

    def tell(self, row: str, **result: Any) -> None:
        """A result of a row."""
        self._keep({"row": row, "contestant": self._name, "round": self.number, **result})

    @contextmanager
    def doing(self, row: str) -> Iterator[None]:
        """What follows is for this row: where it fails, that is the row's result."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - whatever it is, the others go on
            self._failed.add(row)
            self.tell(row, error=(str(error) or type(error).__name__).splitlines()[0])

    def may(self, row: str) -> bool:
        """Whether the row has not failed yet."""
        return row not in self._failed


def _look(showing: Showing, browser: Any, log: Path, teller: _Teller) -> None:
    """One page in one round: start, table, filter, columns, curves, and the memory of all that."""
    page, sizes, size = showing.page, showing.sizes, showing.sizes.runs
    with teller.doing(f"page-start-{size}"), serving(page, log) as server:
        teller.tell(f"page-start-{size}", n=1, seconds=server.started_s)
        if teller.may(f"page-table-{size}"):
            _look_at_table(showing, browser, server, teller)
        chooser, curves = page.columns(), page.curves()
        is_quick = teller.number == 0 or isinstance(page, Ours)  # the others take minutes: once is enough
        if chooser and sizes.keys and is_quick:
            _look_at_columns(chooser, browser, server, teller)
        if curves and sizes.curve_points and is_quick:
            address, drawn = curves
            with teller.doing("page-curves"), looking(browser, server.address + address, drawn) as look:
                teller.tell("page-curves", n=1, seconds=look.seconds())
        teller.tell(f"page-memory-{size}", peak_mb=server.memory.peak_mb)
    log.unlink(missing_ok=True)


def _look_at_table(showing: Showing, browser: Any, server: Server, teller: _Teller) -> None:
    page, size = showing.page, showing.sizes.runs
    with (
        teller.doing(f"page-table-{size}"),
        looking(browser, server.address + page.table(), page.row("run-0")) as look,
    ):
        seconds = look.seconds()
        teller.tell(f"page-table-{size}", n=1, seconds=seconds, first_paint_ms=look.first_paint_ms())
        if not teller.may(f"page-filter-{size}"):
            return
        with teller.doing(f"page-filter-{size}"):
            page.ask(look.window)
            time.sleep(_TYPED_S)
            look.wait_for(page.row(showing.expected[0]))
            page.send(look.window)
            seconds = look.seconds()
            time.sleep(_TYPED_S)
            shown = look.window.evaluate(_SHOWN, page.rows)
            is_right = bool(shown) and set(shown) <= set(showing.expected)
            teller.tell(f"page-filter-{size}", n=1, seconds=seconds, is_right=is_right)


def _look_at_columns(chooser: Chooser, browser: Any, server: Server, teller: _Teller) -> None:
    with teller.doing("page-columns"), looking(browser, server.address + chooser.table, chooser.row) as look:
        look.seconds()
        look.wait_for(chooser.names)
        look.window.click(chooser.button)
        teller.tell("page-columns", n=1, seconds=look.seconds())
        with teller.doing("page-names"):
            look.window.click(chooser.search)
            look.wait_for(chooser.found)
            look.window.fill(chooser.search, contents.WANTED)
            teller.tell("page-names", n=1, seconds=look.seconds())
