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
from pneumo_train.federating.weights import batch_norms, put_in
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
        own_statistics: those of batch normalisation are made of the films, for no client has sent any.
    """

    model: LitClassifier
    films: Films
    batch_size: int
    own_statistics: bool = False

    def put_in(self, arrays: Arrays) -> LitClassifier:
        """The network with these weights, ready to look."""
        put_in(self.model, arrays)
        if self.own_statistics:
            _make_statistics(self.model, self.films, self.batch_size)
        return self.model

    def __call__(self, arrays: Arrays) -> Mapping[str, float]:
        """The metrics of weights, under the names that a training validates with; the threshold is 0.5."""
        self.put_in(arrays)
        logits = logits_of(self.model, self.films, batch_size=self.batch_size)
        targets = targets_of(self.films)
        loss = _cross_entropy(logits, targets)
        if not np.isfinite(logits).all():
            return {"val_loss": loss}
        scores = score(targets, sigmoid(logits), patients_of(self.films), threshold=0.5, draws=0).by_name
        return {"val_loss": loss, **{f"val_{name}": scores[theirs].value for name, theirs in _CALLED.items()}}


def write_checkpoint(path: Path, look: Look, arrays: Arrays, *, number: int) -> None:
    """Writes the weights of a round as a checkpoint of the trainer's; the file is whole at every moment."""
    model = look.put_in(arrays)
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


def _make_statistics(model: LitClassifier, films: Films, batch_size: int) -> None:
    """Gives batch normalisation the statistics of these films, the mean over batches that are as equal as they can be."""
    layers = batch_norms(model).values()
    momenta = [layer.momentum for layer in layers]
    model.eval()
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # the mean of all batches, none of which counts more
        layer.train()
    with torch.no_grad():
        for part in np.array_split(np.arange(len(films)), -(-len(films) // batch_size)):
            pixels = np.stack([films[int(index)] for index in part])
            model(torch.from_numpy(pixels).to(model.device).unsqueeze(1).float() / 255)
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum
    model.eval()


def _cross_entropy(logits: Floats, targets: Labels) -> float:
    """The mean of the binary cross-entropy, unweighted."""
    return float(np.mean(np.logaddexp(0, logits) - targets * logits))
