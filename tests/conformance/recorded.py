"""The durable recorder around a backend: the backend's own harness, opened through journals on disk."""

import os
from collections.abc import Callable
from functools import partial

from runstore.opening import open_store
from runstore.protocol import BackendStore
from support.processes import state_directory


def open_recorded_url(url: str, state_dir: str) -> BackendStore:
    """Opens a recorded store as a program does whose environment names the state directory."""
    os.environ["RUNSTORE_STATE_DIR"] = state_dir
    return open_store(url)


class Recorded:
    """Mixed into a backend's harness: its handles, in this process and in others, are recorders."""

    url: str

    def open(self) -> BackendStore:
        return self.recipe()()

    def recipe(self) -> Callable[[], BackendStore]:
        return partial(open_recorded_url, self.url, str(state_directory() / "recorded"))
