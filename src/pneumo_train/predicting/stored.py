"""The best checkpoint of a run as a network that answers, out of the store with its hash checked."""

import dataclasses

from pneumo_train.errors import ConfigError
from pneumo_train.evaluating.figures import Decision
from pneumo_train.examining.checkpoint import fetch_checkpoint, load_checkpoint
from pneumo_train.network.classifier import LitClassifier
from pneumo_train.result import BEST_CHECKPOINT
from runstore import RunReader


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class StoredModel:
    """A network and how its answers are meant.

    Attributes:
        run_id: the run that has trained it.
        model: in evaluation mode.
        size: side of the square that it takes, in pixels.
        decision: what logits are divided by, and from which probability on a film is called pneumonia.
    """

    run_id: str
    model: LitClassifier
    size: int
    decision: Decision


def load_stored_model(reader: RunReader, run_id: str) -> StoredModel:
    """The network of a run's best checkpoint. Nothing foreign is unpickled.

    Raises:
        RunNotFoundError: there is no such run.
        CheckpointError: the run has no checkpoint, or not the one that was stored, or one that is none of this trainer.
        ConfigError: the run's configuration does not say how large its films were.
    """
    content, _ = fetch_checkpoint(reader, run_id)
    size = reader.get_config(run_id).get("data", {}).get("image_size")
    if not isinstance(size, int):
        raise ConfigError(
            f"run {run_id!r} has no data.image_size in its configuration: name a run of `pneumo-train fit`"
        )
    model, decision = load_checkpoint(content, called=f"run {run_id!r}: {BEST_CHECKPOINT}")
    return StoredModel(run_id=run_id, model=model.eval(), size=size, decision=decision)
