"""What a kit test works with: traced handles that close themselves, unique names, child processes."""

import io
import itertools
import pickle
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, BinaryIO, Self, cast

from runstore.backend import Store
from runstore.model import DatasetType, MetricPoint
from runstore.testing.children import serve
from runstore.testing.harness import Harness
from runstore.testing.trace import Trace, TracedStore

CHILD_TIMEOUT_S = 120
"""After this many seconds a child process is taken for hung; a bound, not a measure."""

_CHILD = "from runstore.testing.children import main; main()"


class Bench:
    """One test's view of a harness. Used as a context manager: leaving closes every handle and fresh database."""

    def __init__(self, harness: Harness, *, backend: str, trace: Trace | None = None) -> None:
        self.harness = harness
        self.backend = backend
        self.trace = Trace() if trace is None else trace
        self._stores: list[Store] = []
        self._benches: list[Bench] = []
        self._children: list[Child] = []
        self._numbers = itertools.count(1)

    def open(self) -> Store:
        """A new traced handle, closed at the end of the test."""
        store = cast("Store", TracedStore(self.harness.open(), trace=self.trace, number=next(self._numbers)))
        self._stores.append(store)
        return store

    def open_reader(self) -> Store:
        """A new traced handle for reading, closed at the end of the test."""
        reader = TracedStore(self.harness.open_reader(), trace=self.trace, number=next(self._numbers))
        self._stores.append(cast("Store", reader))
        return self._stores[-1]

    def open_recorded(self) -> Store:
        """A new traced handle behind the recorder, closed at the end of the test."""
        recorded = TracedStore(self.harness.open_recorded(), trace=self.trace, number=next(self._numbers))
        self._stores.append(cast("Store", recorded))
        return self._stores[-1]

    def once(self, make: Callable[[Store], Any]) -> Any:
        """What ``make`` gave the first time on this database: for runs that many tests read and none changes."""
        made = vars(self.harness).setdefault("_made_once", {})
        if make.__name__ not in made:
            made[make.__name__] = make(self.open())
        return made[make.__name__]

    def fresh(self) -> "Bench":
        """A bench on another, empty database of the same kind."""
        return self._on(self.harness.fresh())

    def faulty(self) -> "Bench":
        """A bench on the same database, where connections can be counted, cut and dropped."""
        return self._on(self.harness.faulty())

    def private(self) -> "Bench":
        """A bench on a server or disk of its own."""
        return self._on(self.harness.private())

    def child(self, work: Callable[..., Any], *arguments: Any) -> "Child":
        """Starts ``work(store, *arguments)`` in a new process, over a store that it opens itself.

        ``work`` is a function of :mod:`runstore.testing.children`; calling ``print`` in it sends a line here.
        """
        child = Child(self.harness.recipe(), work, arguments)
        self._children.append(child)
        return child

    def children(self, work: Callable[..., Any], arguments: Iterable[Sequence[Any]]) -> list[Any]:
        """Runs ``work`` in one process for each tuple of arguments, all at once; gives their results."""
        children = [self.child(work, *each) for each in arguments]
        for child in children:
            child.wait_until_ready()
        for child in children:
            child.go()
        return [child.result() for child in children]

    def remote(self) -> Store:
        """A handle in another process, which does what it is told, call by call."""
        child = Child(self.harness.recipe(), serve, ())
        self._children.append(child)
        child.go()
        return cast("Store", TracedStore(cast("Store", _Remote(child)), trace=self.trace, number=0))

    def begin_script(self) -> None:
        """Forgets the calls so far: a new example begins."""
        self.trace.clear()
        self._numbers = itertools.count(1)

    def _on(self, harness: Harness) -> "Bench":
        bench = Bench(harness, backend=self.backend, trace=self.trace)
        self._benches.append(bench)
        return bench

    def __enter__(self) -> Self:
        """The bench itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends the children, then closes what was opened."""
        for child in self._children:
            child.end()
        for store in self._stores:
            store.close()
        for bench in self._benches:
            bench.__exit__(kind, error, trace)
            bench.harness.close()


class Child:
    """A slim process that imports the core and one driver, nothing else."""

    def __init__(self, recipe: Callable[[], Store], work: Callable[..., Any], arguments: Sequence[Any]) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-c", _CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        task = pickle.dumps((sys.path, pickle.dumps((recipe, work, tuple(arguments)))))
        self._send(len(task).to_bytes(8) + task)
        self._ready = False
        self._gone = False

    def wait_until_ready(self) -> None:
        """Returns once the child has imported what it needs and waits for :meth:`go`."""
        if not self._ready:
            self._expect(b"ready")
            self._ready = True

    def go(self) -> None:
        """Lets the child open its store and begin."""
        self.wait_until_ready()
        if not self._gone:
            self._send(b"go\n")
            self._gone = True

    def line(self) -> str:
        """The next line that the child printed; begins it if need be."""
        self.go()
        line = self._readline()
        return line.decode().rstrip("\n")

    def result(self) -> Any:
        """What ``work`` returned; an error of the child is raised here, with its own traceback as a note."""
        self.go()
        while not (line := self._readline()).startswith(b"\x00"):
            if not line:
                self._fail("ended without a result")
        kind, value, report = pickle.loads(bytes.fromhex(line[1:].decode()))  # noqa: S301 - written by our own child
        self._process.wait(CHILD_TIMEOUT_S)
        if kind == "error":
            value.add_note(report)
            raise value
        return value

    def ask(self, verb: str, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """Lets a child that runs ``serve`` make one call; gives or raises what the call gave or raised."""
        self._send(pickle.dumps((verb, arguments, named)).hex().encode() + b"\n")
        line = self._readline()
        if not line:
            self._fail("ended in the middle of a call")
        kind, value, report = pickle.loads(bytes.fromhex(line.decode()))  # noqa: S301 - written by our own child
        if kind == "error":
            value.add_note(report)
            raise value
        return value

    def kill(self) -> None:
        """SIGKILL: no handler, no ``finally``, no ``atexit`` runs."""
        self._process.kill()
        self._process.wait(CHILD_TIMEOUT_S)

    def end(self) -> None:
        """Makes sure that the process is gone and its pipes are closed."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(CHILD_TIMEOUT_S)
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:
                    continue

    def _send(self, data: bytes) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(data)
        self._process.stdin.flush()

    def _readline(self) -> bytes:
        assert self._process.stdout is not None
        timer = threading.Timer(CHILD_TIMEOUT_S, self._process.kill)
        timer.start()
        try:
            return self._process.stdout.readline()
        finally:
            timer.cancel()

    def _expect(self, word: bytes) -> None:
        line = self._readline()
        if line.strip() != word:
            self._fail(f"said {line!r} instead of {word!r}")

    def _fail(self, what: str) -> None:
        self._process.kill()
        _, errors = self._process.communicate()
        raise AssertionError(f"the child process {what}:\n{errors.decode(errors='replace')}")


class _Remote:
    """A store in a child process."""

    def __init__(self, child: Child) -> None:
        self._child = child

    def __getattr__(self, verb: str) -> Any:
        """A method that the child calls."""

        def call(*arguments: Any, **named: Any) -> Any:
            return self._child.ask(verb, arguments, named)

        return call

    def open_artifact(self, run_id: str, name: str) -> BinaryIO:
        """The bytes, carried over whole."""
        return io.BytesIO(self._child.ask("open_artifact", (run_id, name), {}))


# Building


def unique(prefix: str = "kit") -> str:
    """A name that no other test has used."""
    return f"{prefix}-{uuid.uuid4().hex}"


def new_experiment(store: Store) -> str:
    """The id of a new experiment."""
    return store.get_or_create_experiment(unique("experiment"))


def new_run(store: Store, **given: Any) -> str:
    """The id of a new run, in a new experiment unless one is given."""
    experiment_id = given.pop("experiment_id", None) or new_experiment(store)
    return store.ensure_run(experiment_id, **given)


def point(name: str, step: int, value: float, dataset_type: str = "validation", **given: Any) -> MetricPoint:
    """A point, with its identity first."""
    return MetricPoint(name=name, step=step, value=value, dataset_type=dataset_type, **given)


def points_of(
    store: Store, run_id: str, name: str, dataset_type: DatasetType | str = "validation", **given: Any
) -> list[tuple[int, float]]:
    """The history of a series as ``(step, value)`` pairs."""
    history = store.get_history(run_id, name, dataset_type, **given)
    return list(zip(history.steps, history.values, strict=True))


def at_once(work: Callable[[int], Any], count: int) -> list[Any]:
    """Runs ``work(0)`` … ``work(count - 1)`` in as many threads that start together; gives the results in order."""
    barrier = threading.Barrier(count)

    def begin(index: int) -> Any:
        barrier.wait(CHILD_TIMEOUT_S)
        return work(index)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(begin, range(count)))


def state_of(store: Store, run_id: str) -> Mapping[str, Any]:
    """Everything that can be read of a run but its heartbeat, as plain values that compare bit for bit."""
    run = store.get_run(run_id)
    return {
        "run": {name: getattr(run, name) for name in run.__struct_fields__ if name not in {"heartbeat_at", "lease_s"}},
        "config": repr(store.get_config(run_id)),
        "series": repr(store.get_summaries(run_id)),
        "history": {
            (each.name, str(each.dataset_type)): (
                history.steps.tobytes(),
                history.values.tobytes(),
                history.logged_at_us.tobytes(),
            )
            for each in store.get_summaries(run_id)
            for history in [store.get_history(run_id, each.name, each.dataset_type)]
        },
        "artifacts": store.list_artifacts(run_id),
    }
