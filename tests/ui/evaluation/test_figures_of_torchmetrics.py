"""The areas and the calibration error are those of torchmetrics, which the trainer logs."""

import pytest
import torch
from torchmetrics.functional import classification as functional

from runstore_ui.evaluation import all_cases, area_under_roc, average_precision, rank, reliability
from ui.evaluation.judged import drawn, predictions_of

pytestmark = pytest.mark.training


def test_the_calibration_error_and_the_areas_are_its() -> None:
    scores, targets = drawn(7, 400, digits=9)
    ranking = rank(all_cases(predictions_of(scores, targets)))
    preds, target = torch.tensor(scores, dtype=torch.float64), torch.tensor(targets)

    found = reliability(ranking)

    assert found is not None
    assert area_under_roc(ranking).value == pytest.approx(float(functional.binary_auroc(preds, target)), abs=1e-6)
    assert average_precision(ranking) == pytest.approx(
        float(functional.binary_average_precision(preds, target)), abs=1e-6
    )
    # torchmetrics bins how sure the classifier is of whichever class it takes.
    confident = [abs(score - 0.5) + 0.5 for score in scores]
    right = [int((score >= 0.5) == bool(target)) for score, target in zip(scores, targets, strict=True)]
    taken = reliability(rank(all_cases(predictions_of(confident, right))), bins=20)
    assert taken is not None
    expected = functional.multiclass_calibration_error(
        torch.stack([1 - preds, preds], 1), target, num_classes=2, n_bins=20
    )
    assert taken.expected_error == pytest.approx(float(expected), abs=1e-6)
