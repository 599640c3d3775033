"""What an epoch is measured by: gathered in each step, computed once at its end."""

import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.functional.classification import (
    binary_accuracy,
    binary_auroc,
    binary_f1_score,
    binary_precision,
    binary_recall,
)
from torchmetrics.utilities.data import dim_zero_cat

_AT_HALF = {
    "accuracy": binary_accuracy,
    "precision": binary_precision,
    "recall": binary_recall,
    "f1": binary_f1_score,
}


class EpochMetrics(Metric):
    """The mean loss, accuracy, precision, recall and F1 at a threshold of 0.5, and the AUROC.

    A step only keeps its predictions: five metrics that are brought up to date in each one cost more than the rest of the
    trainer. Several processes gather theirs.
    """

    full_state_update = False
    loss_sum: Tensor
    weight: Tensor
    preds: list[Tensor]
    targets: list[Tensor]

    def __init__(self) -> None:
        super().__init__()
        self.add_state("loss_sum", torch.tensor(0.0), dist_reduce_fx="sum")
        self.add_state("weight", torch.tensor(0.0), dist_reduce_fx="sum")
        self.add_state("preds", [], dist_reduce_fx="cat")
        self.add_state("targets", [], dist_reduce_fx="cat")

    def update(self, loss: Tensor, preds: Tensor, targets: Tensor) -> None:
        """Takes a batch.

        Args:
            loss: its mean loss.
            preds: probabilities of shape (N,).
            targets: of shape (N,), 0 or 1.
        """
        self.loss_sum += loss.float() * len(targets)
        self.weight += len(targets)
        self.preds.append(preds)
        self.targets.append(targets.int())

    def compute(self) -> dict[str, Tensor]:
        """Each value by name, or NaN where it has none: all but the loss where a prediction is NaN, the AUROC of one class only.

        Torchmetrics takes NaN for a negative, which makes 0.5 of an AUROC, and calls the AUROC of one class 0.
        """
        preds, targets = dim_zero_cat(self.preds), dim_zero_cat(self.targets)
        nothing = torch.tensor(float("nan"))
        values = {"loss": self.loss_sum / self.weight}
        if torch.isnan(preds).any():
            return values | dict.fromkeys([*_AT_HALF, "auroc"], nothing)
        has_both = 0 < int(targets.sum()) < len(targets)
        values |= {name: score(preds, targets, validate_args=False) for name, score in _AT_HALF.items()}
        return values | {"auroc": binary_auroc(preds, targets, validate_args=False) if has_both else nothing}
