"""Flower's simulation engine, in this process: clients are threads of it that wait for processes of ours."""

import contextlib
import functools
import logging
import os
import queue
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

from flwr.app import ConfigRecord, Context, Message, RecordDict
from flwr.clientapp import ClientApp
from flwr.server.superlink.fleet.vce import vce_api
from flwr.server.superlink.fleet.vce.backend import Backend
from flwr.serverapp import Grid, ServerApp
from flwr.simulation import run_simulation

from pneumo_train.config.federation import FederationConfig
from pneumo_train.errors import FederationError
from pneumo_train.federating.flower.engine import FlowerEngine, answer_to
from pneumo_train.federating.values import Work
from pneumo_train.temporary import own_folder

_running = threading.Lock()
"""Held by the one simulation engine of this process."""

_START_S = 300.0
_RAY_BACKEND = "flwr.server.superlink.fleet.vce.backend.raybackend"
_END_S = 60.0


@contextlib.contextmanager
def simulated(  # noqa: PLR0913 - keyword-only
    work: Work,
    names: list[str],
    config: FederationConfig,
    *,
    trained: frozenset[str],
    side_by_side: int,
    stop: Callable[[], None] = lambda: None,
) -> Iterator[FlowerEngine]:
    """Flower's simulation engine, as long as the block lasts, on this machine and with nothing that runs there already.

    It lies in this process, has a folder of its own, opens no port, and does not look for other engines of Flower's or Ray's.

    Args:
        work: what every client does.
        names: of the clients; that of each is its place in this list, which Flower calls its partition.
        config: the strategy.
        trained: which arrays are weights that are trained.
        side_by_side: how many clients work at once.
        stop: ends what is being done when the block is left.

    Raises:
        FederationError: the engine does not start, or this process runs one already.
    """
    if not _running.acquire(blocking=False):
        raise FederationError(
            "a federation runs in this process already, and a process has one simulation engine; wait for its end, or "
            "start this one in a process of its own"
        )
    try:
        with (
            own_folder(for_sockets=True) as folder,
            _home(folder),
            _in_threads(side_by_side),
            _started(work, names, stop) as grid,
        ):
            engine = FlowerEngine(grid, names, config, trained)
            engine.gather(_START_S)
            yield engine
    finally:
        _running.release()


@contextlib.contextmanager
def _home(folder: Path) -> Iterator[None]:
    """Flower's files lie in this folder for as long as the block lasts."""
    before = os.environ.get("FLWR_HOME")
    os.environ["FLWR_HOME"] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ["FLWR_HOME"]
        else:
            os.environ["FLWR_HOME"] = before


class _Threads(Backend):  # type: ignore[misc]  # Flower is not installed where types are looked at
    """What Flower runs a client's app in: a thread that waits for the client's own process.

    Flower brings one such backend, on Ray: 185 MB, half a minute's start, and processes that serve many clients. It is not needed
    where the work is done apart anyway.
    """

    side_by_side = 1

    def build(self, app_fn: Callable[[], ClientApp]) -> None:
        self._app = app_fn()

    @property
    def num_workers(self) -> int:
        return self.side_by_side

    def is_worker_idle(self) -> bool:
        return True

    def process_message(self, message: Message, context: Context) -> tuple[Message, Context]:
        return self._app(message=message, context=context), context

    def terminate(self) -> None:
        pass


@contextlib.contextmanager
def _in_threads(count: int) -> Iterator[None]:
    """Flower takes so many threads for Ray, the one backend that it knows, for as long as the block lasts.

    It hands them out of a pool of no more than four above the number of processors; so many, and this one has as many as are wanted.
    """
    found = ModuleType(_RAY_BACKEND)
    vars(found)["RayBackend"] = type("RayBackend", (_Threads,), {"side_by_side": count})
    before = sys.modules.get(_RAY_BACKEND)
    sys.modules[_RAY_BACKEND] = found
    pool = vce_api.ThreadPoolExecutor
    vce_api.ThreadPoolExecutor = functools.partial(pool, count)
    try:
        yield
    finally:
        vce_api.ThreadPoolExecutor = pool
        del sys.modules[_RAY_BACKEND]
        if before is not None:
            sys.modules[_RAY_BACKEND] = before


@contextlib.contextmanager
def _started(work: Work, names: list[str], stop: Callable[[], None]) -> Iterator[Grid]:
    """The engine's grid, which its thread gives when it has started."""
    grids: queue.Queue[Grid | BaseException] = queue.Queue()
    is_over = threading.Event()
    server = ServerApp()

    def main(grid: Grid, context: Context) -> None:  # noqa: ARG001 - Flower's signature
        grids.put(grid)
        is_over.wait()

    server.main()(main)

    def run() -> None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                run_simulation(
                    server_app=server,
                    client_app=client_app(work, names),
                    num_supernodes=len(names),
                    backend_name="threads",
                )
        except BaseException as error:  # noqa: BLE001 - it is told in the thread that waits for it
            grids.put(error)

    logging.getLogger("flwr").setLevel(logging.CRITICAL)
    thread = threading.Thread(target=run, name="flower", daemon=True)
    thread.start()
    try:
        try:
            grid = grids.get(timeout=_START_S)
        except queue.Empty:
            raise FederationError(
                f"Flower's simulation engine has not started within {_START_S:g} s; look whether this machine is too busy"
            ) from None
        if isinstance(grid, BaseException):
            raise FederationError(f"Flower's simulation engine does not start: {grid}") from grid
        yield grid
    finally:
        is_over.set()
        stop()
        thread.join(_END_S)


def client_app(work: Work, names: list[str]) -> ClientApp:
    """What Flower starts for a client."""
    app = ClientApp()

    def act(message: Message, context: Context) -> Message:
        client = names[int(context.node_config["partition-id"])]
        # It may have waited for a processor; the server's clock is this machine's.
        left = max(0.0, message.metadata.created_at + message.metadata.ttl - time.time())
        return answer_to(message, client, work, left)

    def who(message: Message, context: Context) -> Message:
        partition = int(context.node_config["partition-id"])
        return Message(RecordDict({"config": ConfigRecord({"client": names[partition]})}), reply_to=message)

    app.query()(who)
    app.train()(act)
    app.evaluate()(act)
    return app
