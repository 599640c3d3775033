"""Opening a store to change its runs, as the commands and the page do: bare, and nothing that was changed is forgotten."""

from types import TracebackType
from typing import Self

from runstore.backend import ExperimentChange, RunChange, Store, Sweep, Thinning
from runstore.backend.editing import Edits
from runstore.model import Garbage, Thinned
from runstore.opening.stores import open_store
from runstore.recording.again.kept_changes import keep_change
from runstore.recording.records import ChangeRecord, ExperimentChangeRecord
from runstore.settings import load_settings


class Editor(Edits):
    """Changes of a bare store. Each is kept on this machine for a time once the store has taken it (``RUNSTORE_KEPT_DAYS``).

    ``runstore sync --verify`` makes it again if the database has forgotten it.

    Attributes:
        store: the store itself, to be read.
    """

    def __init__(self, store: Store, url: str) -> None:
        """Takes ownership of a store; ``url`` is its own."""
        self.store = store
        self._url = url

    def change_run(self, run_id: str, change: RunChange) -> None:
        """As the store does it."""
        self.store.change_run(run_id, change)
        keep_change(self._url, ChangeRecord(at_us=change.at_us, run_id=run_id, change=change))

    def change_experiment(self, experiment_id: str, change: ExperimentChange) -> None:
        """As the store does it."""
        self.store.change_experiment(experiment_id, change)
        record = ExperimentChangeRecord(at_us=change.at_us, experiment_id=experiment_id, change=change)
        keep_change(self._url, record)

    def thin(self, asked: Thinning) -> Thinned:
        """As the store does it."""
        return self.store.thin(asked)

    def sweep(self, asked: Sweep) -> Garbage:
        """As the store does it."""
        return self.store.sweep(asked)

    def close(self) -> None:
        """Closes the store; closing twice is closing once."""
        self.store.close()

    def __enter__(self) -> Self:
        """The editor itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes the store."""
        self.close()


def open_editor(url: str | None = None) -> Editor:
    """A store whose runs are to be changed, without a recorder. Takes and raises what :func:`open_store` does."""
    return Editor(open_store(url, durable=False), load_settings(url=url).url or "")
