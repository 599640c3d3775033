"""How well weights do on the server's own films, which no client sees; and the checkpoint of the best."""

import dataclasses
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch

from pneumo_train.evaluating.calibration import sigmoid
from pneumo_train.evaluating.figures import Floats, Labels
from pneumo_train.evaluating.scores import score
from pneumo_train.examining.examining import patients_of, targets_of
from pneumo_train.examining.logits import logits_of
from pneumo_train.federating.values import Arrays
from pneumo_train.federating.weights import put_in
from pneumo_train.images.films import Films
from pneumo_train.network.classifier import LitClassifier
from runstore.local.whole_files import replacing

_CALLED = {
    "auroc": "auroc",
    "accuracy": "accuracy",
    "precision": "ppv",
    "recall": "sensitivity",
    "f1": "f1",
}
"""What a training calls each score."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Looks at the server's films.

    Attributes:
        model: of the right shape; its weights are replaced.
        films: the server's.
        batch_size: films at a time.
    """

    model: LitClassifier
    films: Films
    batch_size: int

    def __call__(self, arrays: Arrays) -> Mapping[str, float]:
        """The metrics of weights, under the names that a training validates with; the threshold is 0.5."""
        put_in(self.model, arrays)
        logits = logits_of(self.model, self.films, batch_size=self.batch_size)
        targets = targets_of(self.films)
        loss = _cross_entropy(logits, targets)
        if not np.isfinite(logits).all():
            return {"val_loss": loss}
        scores = score(targets, sigmoid(logits), patients_of(self.films), threshold=0.5, draws=0).by_name
        return {"val_loss": loss, **{f"val_{name}": scores[theirs].value for name, theirs in _CALLED.items()}}


def write_checkpoint(path: Path, model: LitClassifier, arrays: Arrays, *, number: int) -> None:
    """Writes the weights of a round as a checkpoint of the trainer's; the file is whole at every moment."""
    put_in(model, arrays)
    content = {
        "state_dict": model.state_dict(),
        "hyper_parameters": dict(model.hparams),
        "epoch": number,
        "global_step": number,
        "pytorch-lightning_version": version("pytorch-lightning"),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path, by=path.with_name(f"{path.name}.partial")) as partial:
        torch.save(content, partial)


def _cross_entropy(logits: Floats, targets: Labels) -> float:
    """The mean of the binary cross-entropy, unweighted."""
    return float(np.mean(np.logaddexp(0, logits) - targets * logits))
