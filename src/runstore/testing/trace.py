"""Records the calls of a test, so that a failure reads as a short script against the public API."""

import reprlib
import threading
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from runstore.backend import Store

LAST_CALLS = 30
"""How many calls a failure shows; a test that needs more to fail is too long."""

_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 160
_SHORT.maxlist = _SHORT.maxtuple = 4
_SHORT.maxdict = 8
_SHORT.maxlevel = 8


class Trace:
    """The last calls that a test made, as lines of Python. Threads may share it."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=LAST_CALLS)
        self._names: dict[str, str] = {}
        self._lock = threading.Lock()

    def clear(self) -> None:
        """Forgets everything."""
        self._lines.clear()
        self._names.clear()

    def note(self, line: str) -> None:
        """Adds a line."""
        self._lines.append(line)

    def call(self, store: str, verb: str, arguments: tuple[Any, ...], named: dict[str, Any]) -> str:
        """The call as Python text, ids that an earlier call returned as their variables."""
        texts = [self._text(each) for each in arguments]
        texts += [f"{name}={self._text(each)}" for name, each in named.items()]
        return f"{store}.{verb}({', '.join(texts)})"

    def name_result(self, verb: str, result: Any) -> str:
        """The variable that later lines call this result by."""
        with self._lock:
            prefix = "run" if verb == "ensure_run" else "experiment"
            known = f"{prefix}_{sum(name.startswith(prefix) for name in self._names.values()) + 1}"
            return self._names.setdefault(result, known)

    def __str__(self) -> str:
        """The calls, one a line."""
        return "\n".join(self._lines) or "(no call)"

    def _text(self, value: Any) -> str:
        if isinstance(value, str) and value in self._names:
            return self._names[value]
        return _SHORT.repr(value)


class TracedStore:
    """A handle that behaves as the one inside and writes down what was called. Pickles as the one inside."""

    def __init__(self, store: Store, *, trace: Trace, number: int) -> None:
        self._store = store
        self._trace = trace
        self._label = {0: "remote", 1: "store"}.get(number, f"store_{number}")
        if number > 1:
            trace.note(f"{self._label} = another handle on the same database")

    @property
    def trace(self) -> Trace:
        """Where the calls are written down."""
        return self._trace

    def __getattr__(self, name: str) -> Any:
        """The attribute of the store inside; a method writes its call down."""
        found = getattr(self._store, name)
        return self._traced(name, found) if callable(found) else found

    def __reduce__(self) -> tuple[Callable[[Store], Store], tuple[Store]]:
        """The store inside."""
        return _same, (self._store,)

    def __repr__(self) -> str:
        """The repr of the store inside."""
        return repr(self._store)

    def __enter__(self) -> Self:
        """This handle."""
        self._store.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes the store inside."""
        self._store.__exit__(kind, error, trace)

    def _traced(self, verb: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            line = self._trace.call(self._label, verb, arguments, named)
            try:
                result = method(*arguments, **named)
            except Exception as error:
                self._trace.note(f"{line}  # raised {type(error).__name__}")
                raise
            if verb in {"ensure_run", "get_or_create_experiment"} and isinstance(result, str):
                line = f"{self._trace.name_result(verb, result)} = {line}"
            self._trace.note(line)
            return result

        return call


def _same(store: Store) -> Store:
    return store
