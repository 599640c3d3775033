"""Prints what MLstatkit and scikit-learn say of the predictions in a JSON file: AUROCs, DeLong's z and p, other scores."""

import json
import sys
from pathlib import Path

from MLstatkit import Delong_test
from sklearn.metrics import average_precision_score, balanced_accuracy_score, brier_score_loss, f1_score, roc_auc_score

found = json.loads(Path(sys.argv[1]).read_text())
targets, first, second = found["targets"], found["first"], found["second"]
decided = [int(value >= found["threshold"]) for value in first]
z, p = Delong_test(targets, first, second, return_ci=False, return_auc=False)[:2]
sys.stdout.write(
    json.dumps(
        {
            "z": float(z),
            "p": float(p),
            "auroc": roc_auc_score(targets, first),
            "other": roc_auc_score(targets, second),
            "auprc": average_precision_score(targets, first),
            "brier": brier_score_loss(targets, first),
            "f1": f1_score(targets, decided),
            "balanced_accuracy": balanced_accuracy_score(targets, decided),
        }
    )
)
