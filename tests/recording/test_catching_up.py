"""A recorder that has nothing to store has its store catch up."""

import threading

from recording.conftest import OpenRecorder
from runstore.memory import MemoryDatabase, MemoryStore


class Behind(MemoryStore):
    """A store with some pieces of work that nobody waits for."""

    def __init__(self, database: MemoryDatabase, pieces: list[str]) -> None:
        super().__init__(database)
        self.pieces = pieces
        self.is_done = threading.Event()

    def catch_up(self) -> bool:
        piece = self.pieces.pop(0) if self.pieces else ""
        if not self.pieces:
            self.is_done.set()
        if piece == "fails":
            raise RuntimeError("a bug")
        return bool(self.pieces)


def test_an_idle_recorder_has_the_store_catch_up_until_nothing_is_left(
    open_recorder: OpenRecorder, database: MemoryDatabase
) -> None:
    behind = Behind(database, ["one", "two", "three"])

    with open_recorder(open_store=lambda: behind):
        assert behind.is_done.wait(timeout=60)

    assert behind.pieces == []


def test_an_error_while_catching_up_harms_nothing(
    open_recorder: OpenRecorder, database: MemoryDatabase, bare: MemoryStore
) -> None:
    behind = Behind(database, ["fails", "never"])

    with open_recorder(open_store=lambda: behind) as store:
        run_id = store.ensure_run(store.get_or_create_experiment("e"))
        store.finalize(run_id, "completed")

    assert bare.get_run(run_id).status == "completed"
