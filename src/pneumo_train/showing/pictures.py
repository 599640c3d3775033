"""All pictures of an evaluation, by the name that each has among a run's artifacts."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import nn

from pneumo_train.evaluating.figures import Evaluated, Evaluation
from pneumo_train.images.films import Films
from pneumo_train.showing.attention import grad_cam
from pneumo_train.showing.counts import plot_confusion, plot_reliability
from pneumo_train.showing.curves import plot_precision_recall, plot_roc
from pneumo_train.showing.sheets import Shown, caption, certain, draw_sheet, overlay, worst


def plots_of(evaluation: Evaluation) -> Iterator[tuple[str, Figure]]:
    """ROC, precision and recall, the four counts, reliability: each drawn when it is asked for."""
    yield "plots/roc", plot_roc(evaluation)
    yield "plots/precision-recall", plot_precision_recall(evaluation)
    yield "plots/confusion", plot_confusion(evaluation)
    yield "plots/reliability", plot_reliability(evaluation)


def sheets_of(evaluation: Evaluation, films: Films, model: nn.Module) -> Iterator[tuple[str, Figure]]:
    """The worst failures as films, and Grad-CAM of the most and the least certain.

    Args:
        evaluation: of these films, in this order.
        films: what was looked at.
        model: what looked.

    Raises:
        ValueError: the films are too small for maps.
    """
    evaluated, threshold = evaluation.evaluated, evaluation.decision.threshold
    about = f"{evaluated.part} · threshold {threshold:.3f}"
    false_positives, false_negatives = worst(evaluated, threshold=threshold)
    yield (
        "plots/failures",
        draw_sheet(
            f"Worst failures · {about}",
            [
                ("False positives, the most probable first", _plain(evaluated, films, false_positives)),
                ("False negatives, the least probable first", _plain(evaluated, films, false_negatives)),
            ],
        ),
    )
    positives, negatives, nearest = certain(evaluated, threshold=threshold)
    for_it, against_it = "what spoke for pneumonia", "what spoke against it"
    signs = [1.0 if evaluated.probabilities[index] >= threshold else -1.0 for index in nearest]
    yield (
        "plots/grad-cam",
        draw_sheet(
            f"Grad-CAM · {about}",
            [
                (f"Most certain positives: {for_it}", _mapped(evaluated, films, model, positives, [1.0] * len(positives))),
                (f"Most certain negatives: {against_it}", _mapped(evaluated, films, model, negatives, [-1.0] * len(negatives))),
                ("Least certain: what spoke for the decision", _mapped(evaluated, films, model, nearest, signs)),
            ],
        ),
    )  # fmt: skip


def _plain(evaluated: Evaluated, films: Films, indexes: Sequence[int]) -> list[Shown]:
    return [Shown(film=films[index], caption=caption(evaluated, index)) for index in indexes]


def _mapped(
    evaluated: Evaluated, films: Films, model: nn.Module, indexes: Sequence[int], signs: Sequence[float]
) -> list[Shown]:
    if not indexes:
        return []
    device = next(model.parameters()).device
    pixels = torch.from_numpy(np.stack([films[index] for index in indexes])).unsqueeze(1)
    _, maps = grad_cam(model, pixels.to(device).float() / 255, signs=torch.tensor(signs))
    return [
        Shown(film=overlay(films[index], cam), caption=caption(evaluated, index))
        for index, cam in zip(indexes, maps, strict=True)
    ]
