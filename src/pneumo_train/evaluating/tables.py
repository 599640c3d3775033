"""The figures of an evaluation as plain mappings: for JSON, for a checkpoint, for tables."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from pneumo_train.evaluating.figures import Decision, Evaluation, OperatingPoint, Scores

_COLUMNS = tuple(field.name for field in dataclasses.fields(OperatingPoint))


def decision_as_dict(decision: Decision) -> dict[str, Any]:
    """A decision as texts, numbers and lists: what ``torch.load(weights_only=True)`` takes back. NaN stays NaN."""
    plain = {
        field.name: getattr(decision, field.name) for field in dataclasses.fields(Decision) if field.name != "table"
    }
    table = {name: [getattr(point, name) for point in decision.table] for name in _COLUMNS}
    return {**plain, "notes": list(decision.notes), "table": table}


def decision_from_dict(values: Mapping[str, Any]) -> Decision:
    """The decision that :func:`decision_as_dict` made into a mapping.

    Raises:
        KeyError: something is missing.
    """
    table = values["table"]
    rows = zip(*(table[name] for name in _COLUMNS), strict=True)
    return Decision(
        threshold=float(values["threshold"]),
        rule=str(values["rule"]),
        rule_in_words=str(values["rule_in_words"]),
        temperature=float(values["temperature"]),
        shift=float(values.get("shift", 0.0)),  # which checkpoints before did not hold
        chosen_on=str(values["chosen_on"]),
        table=tuple(OperatingPoint(**dict(zip(_COLUMNS, row, strict=True))) for row in rows),
        notes=tuple(map(str, values["notes"])),
    )


def as_json(evaluation: Evaluation) -> dict[str, Any]:
    """All figures but those of single images, ready for JSON: what has no value is ``None``."""
    document = {
        "part": evaluation.evaluated.part,
        "about": dict(evaluation.about),
        "decision": decision_as_dict(evaluation.decision),
        "scores": scores_as_dict(evaluation.scores),
        "scores_at_half": scores_as_dict(evaluation.scores_at_half),
        "calibration_bins": [dataclasses.asdict(each) for each in evaluation.bins],
        "subgroups": [
            {"division": row.division, "level": row.level, "note": row.note, **scores_as_dict(row.scores)}
            for row in evaluation.subgroups
        ],
        "corruptions": [
            {
                "corruption": row.corruption,
                "strength": row.strength,
                "setting": row.setting,
                **scores_as_dict(row.scores),
            }
            for row in evaluation.corruptions
        ],
    }
    plain: dict[str, Any] = _without_nan(document)
    return plain


def scores_as_dict(scores: Scores) -> dict[str, Any]:
    """Scores as a mapping: each as ``{"value": …, "low": …, "high": …}`` under ``by_name``."""
    plain = {field.name: getattr(scores, field.name) for field in dataclasses.fields(Scores)}
    return {**plain, "by_name": {name: dataclasses.asdict(score) for name, score in scores.by_name.items()}}


def subgroup_columns(evaluation: Evaluation) -> dict[str, list[Any]]:
    """The table of the subgroups, column by column."""
    rows = evaluation.subgroups
    return {
        "division": [row.division for row in rows],
        "level": [row.level for row in rows],
        **_columns_of([row.scores for row in rows], ("auroc", "sensitivity", "specificity")),
        "note": [row.note for row in rows],
    }


def corruption_columns(evaluation: Evaluation) -> dict[str, list[Any]]:
    """The table of the films made worse, column by column."""
    rows = evaluation.corruptions
    names = ("auroc", "sensitivity", "specificity", "balanced_accuracy", "brier", "ece")
    return {
        "corruption": [row.corruption for row in rows],
        "strength": [row.strength for row in rows],
        "setting": [row.setting for row in rows],
        **{name: [row.scores.by_name[name].value for row in rows] for name in names},
    }


def _columns_of(scores: list[Scores], names: tuple[str, ...]) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {
        name: [getattr(each, name) for each in scores] for name in ("images", "patients", "positives")
    }
    for name in names:
        columns[name] = [each.by_name[name].value for each in scores]
        columns[f"{name}_low"] = [each.by_name[name].low for each in scores]
        columns[f"{name}_high"] = [each.by_name[name].high for each in scores]
    return columns


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _without_nan(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_nan(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
