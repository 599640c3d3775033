"""How a run goes on in another process: its id travels in the Lightning checkpoint."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from runstore.lightning.lineage import Lineage

CHECKPOINT_KEY = "runstore"
"""The checkpoint's entry: a list of :meth:`Origin.as_dict`, one for each of the trainer's loggers of our kind."""


class Origin(NamedTuple):
    """The run that wrote a checkpoint.

    Attributes:
        run_id: the run.
        experiment: the name of its experiment.
        store: its store's URL without secrets; ``None`` where the logger was given a store instead of a URL.
        step: how far it was.
        lineage: the attempt of the run, and those that it goes on from.
    """

    run_id: str
    experiment: str
    store: str | None
    step: int
    lineage: Lineage = Lineage("")

    def as_dict(self) -> dict[str, Any]:
        """Plain values only, so that ``torch.load(weights_only=True)`` reads the checkpoint."""
        place = {"run_id": self.run_id, "experiment": self.experiment, "store": self.store, "step": self.step}
        return place | self.lineage.as_dict()

    @classmethod
    def read_all(cls, checkpoint: Mapping[str, Any]) -> "list[Origin]":
        """The origins told by a checkpoint; none where it was written without our logger, or by an unknown release."""
        entries = checkpoint.get(CHECKPOINT_KEY)
        if not isinstance(entries, list):
            return []
        return [
            cls(
                run_id=entry["run_id"],
                experiment=entry["experiment"],
                store=entry.get("store"),
                step=entry["step"],
                lineage=Lineage.read(entry),
            )
            for entry in entries
            if isinstance(entry, dict) and {"run_id", "experiment", "step"} <= entry.keys()
        ]
