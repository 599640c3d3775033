"""Of several classes: which is taken for which."""

from collections.abc import Iterable

from msgspec import Struct

from runstore.predictions import Predictions


class ClassMatrix(Struct, frozen=True, kw_only=True):
    """How often each class was taken for which.

    Attributes:
        classes: their names.
        counts: ``counts[true][taken]``: how many samples, or their weight.
        accuracy: the share of those taken for what they are; ``None`` of nothing.
    """

    classes: tuple[str, ...]
    counts: tuple[tuple[float, ...], ...]
    accuracy: float | None


def class_matrix(predictions: Predictions, rows: Iterable[int]) -> ClassMatrix:
    """Each sample is taken for the class of its highest score; of equal scores for the first."""
    size = len(predictions.classes)
    counts = [[0.0] * size for _ in range(size)]
    columns, targets, weights = predictions.scores, predictions.targets, predictions.weights
    for row in rows:
        scores = [column[row] for column in columns]
        counts[targets[row]][scores.index(max(scores))] += 1 if weights is None else weights[row]
    total = sum(map(sum, counts))
    right = sum(counts[place][place] for place in range(size))
    return ClassMatrix(
        classes=predictions.classes,
        counts=tuple(map(tuple, counts)),
        accuracy=right / total if total else None,
    )
