"""The best checkpoint of a run as a network that answers, out of the store with its hash checked."""

import dataclasses
import io
from collections.abc import Mapping
from typing import Any

import torch

from pneumo_train.errors import ConfigError
from pneumo_train.network.classifier import LitClassifier
from pneumo_train.result import BEST_CHECKPOINT
from runstore import ArtifactNotFoundError, RunReader

DECISION_KEY = "pneumo_train_decision"
"""Under which a checkpoint holds its temperature and its threshold."""

_NOT_OF_THE_NETWORK = ("loss.", "losses.", "metrics.")
"""What a checkpoint may hold or lack: it has no part in an answer."""

_HALF = 0.5


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class StoredModel:
    """A network and how its answers are meant.

    Attributes:
        run_id: the run that has trained it.
        model: in evaluation mode.
        size: side of the square that it takes, in pixels.
        temperature: what logits are divided by.
        threshold: from which probability on a film is called pneumonia.
        rule: how the threshold was chosen, in words; empty when the checkpoint holds none.
    """

    run_id: str
    model: LitClassifier
    size: int
    temperature: float
    threshold: float
    rule: str


def load_stored_model(reader: RunReader, run_id: str) -> StoredModel:
    """The network of a run's best checkpoint. Nothing foreign is unpickled.

    Raises:
        RunNotFoundError: there is no such run.
        ConfigError: the run has no checkpoint, or one that is none of this trainer.
        CorruptArtifactError: the checkpoint's bytes are not those that were stored.
    """
    size = reader.get_config(run_id).get("data", {}).get("image_size")
    try:
        with reader.open_artifact(run_id, BEST_CHECKPOINT) as file:
            content = file.read()
    except ArtifactNotFoundError as error:
        raise ConfigError(
            f"run {run_id!r} has no artifact {BEST_CHECKPOINT!r}; name a run of `pneumo-train fit` that has validated at "
            "least once"
        ) from error
    if not isinstance(size, int):
        raise ConfigError(
            f"run {run_id!r} has no data.image_size in its configuration: name a run of `pneumo-train fit`"
        )
    try:
        values = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        model = LitClassifier(**values["hyper_parameters"])
        _load(model, values["state_dict"])
        decision = values.get(DECISION_KEY, {})
        return StoredModel(
            run_id=run_id,
            model=model.eval(),
            size=size,
            temperature=float(decision.get("temperature", 1.0)),
            threshold=float(decision.get("threshold", _HALF)),
            rule=str(decision.get("rule_in_words", "")),
        )
    except Exception as error:
        reason = next(iter(str(error).splitlines()), "")  # torch gives a page of advice, none of which is for here
        raise ConfigError(
            f"run {run_id!r}: {BEST_CHECKPOINT} is no checkpoint of this trainer ({type(error).__name__}: {reason}); name a "
            "run of `pneumo-train fit`"
        ) from error


def _load(model: LitClassifier, state: Mapping[str, Any]) -> None:
    found = model.load_state_dict(state, strict=False)
    wrong = [key for key in (*found.missing_keys, *found.unexpected_keys) if not key.startswith(_NOT_OF_THE_NETWORK)]
    if wrong:
        raise ValueError(f"{len(wrong)} of its weights do not fit, as {wrong[0]}")
