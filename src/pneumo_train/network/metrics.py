"""The metrics of an epoch, each NaN where it has no value."""

from typing import cast

import torch
from torch import Tensor
from torchmetrics import MetricCollection
from torchmetrics.classification import BinaryAccuracy, BinaryAUROC, BinaryF1Score, BinaryPrecision, BinaryRecall
from torchmetrics.utilities.data import dim_zero_cat


def new_metrics() -> MetricCollection:
    """Accuracy, precision, recall and F1 at a threshold of 0.5, and the AUROC."""
    return MetricCollection(
        {
            "accuracy": BinaryAccuracy(),
            "precision": BinaryPrecision(),
            "recall": BinaryRecall(),
            "f1": BinaryF1Score(),
            "auroc": BinaryAUROC(),
        },
        compute_groups=False,
    )


def compute(metrics: MetricCollection) -> dict[str, Tensor]:
    """Each metric's value, or NaN where it has none: all of them where a prediction is NaN, the AUROC of one class only.

    Torchmetrics takes NaN for a negative, which makes 0.5 of an AUROC, and calls the AUROC of one class 0.
    """
    auroc = cast("BinaryAUROC", metrics["auroc"])
    preds, target = dim_zero_cat(auroc.preds), dim_zero_cat(auroc.target)
    nothing = torch.tensor(float("nan"))
    if torch.isnan(preds).any():
        return dict.fromkeys(map(str, metrics.keys()), nothing)
    has_both = 0 < int(target.sum()) < len(target)
    values: dict[str, Tensor] = {
        name: metric.compute() for name, metric in metrics.items() if has_both or name != "auroc"
    }
    return values if has_both else {**values, "auroc": nothing}
