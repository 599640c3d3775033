"""The ground that all families of clauses stand on: the ``clause`` mark, the bench and its checks."""

import functools
import inspect
import itertools
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, ParamSpec

import pytest

from runstore.backend import Store
from runstore.errors import RunStoreError
from runstore.testing.bench import Bench
from runstore.testing.clauses import CLAUSES
from runstore.testing.harness import Harness, Unsupported
from runstore.testing.trace import TracedStore

P = ParamSpec("P")

_KIT = "runstore.testing."
_FIXTURES = frozenset({"bench", "store"})
_BREACHES = (AssertionError, RunStoreError, ExceptionGroup, pytest.fail.Exception)


def clause(*ids: str) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """Says which clauses a kit test proves; a failure then names them, the backend and the calls made."""
    unknown = [each for each in ids if each not in CLAUSES]
    if unknown or not ids:
        raise ValueError(f"no such clause: {unknown}; see runstore.testing.CLAUSES")

    def mark(test: Callable[P, None]) -> Callable[P, None]:
        @functools.wraps(test)
        def checked(*arguments: P.args, **named: P.kwargs) -> None:
            __tracebackhide__ = True
            try:
                test(*arguments, **named)
            except Unsupported as reason:
                pytest.skip(str(reason))
            except (Exception, pytest.fail.Exception) as error:
                error.add_note(_story(ids, arguments, named))
                raise

        checked.__runstore_clauses__ = ids  # type: ignore[attr-defined]
        return checked

    return mark


def clauses_of(test: Any) -> tuple[str, ...]:
    """The clauses that a kit test proves; empty for any other function."""
    return getattr(test, "__runstore_clauses__", ())


class ConformanceBase:
    """One subclass a backend. Overriding a test of the kit is refused when the class is made."""

    backend: ClassVar[str] = ""
    """The backend's name in the report; made from the class's name (``TestMyBackend``) when it is left empty."""

    def __init_subclass__(cls, **named: Any) -> None:
        """Names the backend and refuses overrides."""
        super().__init_subclass__(**named)
        if not cls.__module__.startswith(_KIT):
            _refuse_overrides(cls)
        if "backend" not in vars(cls):
            cls.backend = cls.__name__.removeprefix("Test").removesuffix("Conformance").lower()

    @pytest.fixture
    def bench(self, request: pytest.FixtureRequest, harness: Harness) -> Iterator[Bench]:
        """The test's view of the backend; afterwards every handle is closed and no connection is checked out."""
        _declare(request, harness)
        with Bench(harness, backend=type(self).backend) as bench:
            yield bench
            check_nothing_held(bench)

    @pytest.fixture
    def store(self, bench: Bench) -> Store:
        """A handle on the database under test."""
        return bench.open()


def parameters_of(test: Callable[..., None]) -> Iterator[dict[str, Any]]:
    """Each combination of a test's parameters, as pytest would give them."""
    marks = [mark for mark in getattr(test, "pytestmark", []) if mark.name == "parametrize"]
    spaces = []
    for mark in marks:
        names = mark.args[0].split(",") if isinstance(mark.args[0], str) else list(mark.args[0])
        values = (value if len(names) > 1 else (value,) for value in mark.args[1])
        spaces.append([dict(zip(names, value, strict=True)) for value in values])
    for combination in itertools.product(*spaces):
        yield {name: value for part in combination for name, value in part.items()}


def check_nothing_held(bench: Bench) -> None:
    """Asserts that between calls no connection is checked out (DUR.3, DUR.5)."""
    try:
        held = bench.harness.open_connections()
    except Unsupported:
        return
    assert held == 0, f"{bench.backend}: {held} connection(s) still checked out between calls (DUR.3)"


def kit_tests(conformance: type) -> dict[str, Callable[..., None]]:
    """The tests that the kit gives a class, by name."""
    return {
        name: member
        for base in conformance.__mro__
        if base.__module__.startswith(_KIT)
        for name, member in vars(base).items()
        if clauses_of(member)
    }


def _refuse_overrides(conformance: type) -> None:
    given = kit_tests(conformance) | {name: vars(ConformanceBase)[name] for name in _FIXTURES}
    for name, member in given.items():
        if inspect.getattr_static(conformance, name) is not member:
            cited = ", ".join(clauses_of(member)) or "the clause"
            raise TypeError(
                f"{conformance.__qualname__} overrides {name}, which the kit owns. To say that the backend cannot "
                f"keep {cited}, declare it: harness.deviations = {{{cited!r}: 'the reason'}}"
            )


def _declare(request: pytest.FixtureRequest, harness: Harness) -> None:
    known = {*CLAUSES, *kit_tests(request.cls)} if request.cls else set(CLAUSES)
    unknown = sorted(set(harness.deviations) - known)
    if unknown:
        raise ValueError(f"deviations are declared for {unknown}, which are neither clauses nor tests of the kit")
    given = getattr(request.node, "callspec", None)
    tests = (
        [request.function, *(value for value in given.params.values() if clauses_of(value))]
        if given
        else [request.function]
    )
    cited = [each for test in tests for each in (*clauses_of(test), test.__name__)]
    reasons = [f"{each}: {harness.deviations[each]}" for each in cited if each in harness.deviations]
    if reasons:
        request.applymarker(pytest.mark.xfail(reason="; ".join(reasons), raises=_BREACHES, strict=True))


def _story(ids: tuple[str, ...], arguments: tuple[Any, ...], named: dict[str, Any]) -> str:
    given = [*arguments, *named.values()]
    owner = next((each for each in given if isinstance(each, ConformanceBase)), None)
    benches = [each for each in given if isinstance(each, Bench)]
    traces = [each.trace for each in benches] or [each.trace for each in given if isinstance(each, TracedStore)]
    lines = [f"{each} broke on {type(owner).backend if owner else 'this backend'}: {CLAUSES[each]}" for each in ids]
    return "\n".join([*lines, *(["calls:", str(traces[0])] if traces else [])])
