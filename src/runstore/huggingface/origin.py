"""How a run goes on in another process: its id travels in the ``trainer_state.json`` of a checkpoint."""

from typing import Any, NamedTuple

_KEY = "runstore"
"""Among the states of callbacks, where a ``Trainer`` keeps what it does not know and reads it back."""


class Origin(NamedTuple):
    """The run that wrote a checkpoint.

    Attributes:
        run_id: the run.
        experiment: the name of its experiment.
        store: its store's URL without secrets; ``None`` where the callback was given a store instead of a URL.
    """

    run_id: str
    experiment: str
    store: str | None

    def write(self, state: Any) -> None:
        """Has each checkpoint of this training tell of the run."""
        state.stateful_callbacks[_KEY] = self._asdict()

    @classmethod
    def read(cls, state: Any) -> "Origin | None":
        """What the checkpoint told that a training goes on from; ``None`` for a training that begins anew."""
        match (state.stateful_callbacks or {}).get(_KEY):
            case {"run_id": str(run_id), "experiment": str(experiment), "store": str() | None as store}:
                return cls(run_id, experiment, store)
        return None
