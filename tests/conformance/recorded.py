"""Harnesses of the durable recorder around a backend: the backend's own harness, opened through journals on disk."""

import os
import shutil
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Protocol, cast

from runstore.opening import open_store
from runstore.protocol import BackendStore
from support.processes import fast_directory


def open_recorded_url(url: str, state_dir: Path) -> BackendStore:
    """Opens a recorded store as a program does that named its state directory in the environment."""
    os.environ["RUNSTORE_STATE_DIR"] = str(state_dir)
    return cast("BackendStore", open_store(url))


class HasUrl(Protocol):
    url: str | None


class Recorded:
    """Mixed into a backend's harness: handles, in this process and in others, are recorders that share journals."""

    @property
    def state_dir(self: HasUrl) -> Path:
        name = f"recorded-{os.getpid()}"
        return Path(tempfile.gettempdir() if not fast_directory() else fast_directory()) / name

    def open(self) -> BackendStore:
        return self.recipe()()

    def recipe(self: HasUrl) -> Callable[[], BackendStore]:
        assert self.url is not None
        return partial(open_recorded_url, self.url, self.state_dir)  # type: ignore[attr-defined]
