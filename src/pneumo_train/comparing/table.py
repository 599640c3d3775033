"""The table of a comparison, out of the store: figures for programs, with their intervals and tests."""

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from pneumo_train.comparing.kept import Said, read_plan, said_of
from pneumo_train.comparing.plan import CENTRALIZED, FEDERATION
from pneumo_train.errors import DataError
from pneumo_train.evaluating.delong import Comparison, compare
from pneumo_train.evaluating.scores import mean_scores
from pneumo_train.studying.kept import KeptStudy
from runstore import RunReader

PARTS: Final = ("test", "validation")
"""No model has seen the first; the second has picked the best epoch or round of each, and its threshold."""

BEST_SITE: Final = "best site alone"
"""Of each seed the site whose model does best on the very films that it is measured with: it is favoured."""

SCORES: Final = ("auroc", "sensitivity", "specificity", "balanced_accuracy", "ece")
_AS = ".6g"
"""How many digits are kept: of a small p-value, too."""


def comparison_table(reader: RunReader, name: str, kept: KeptStudy) -> dict[str, Any]:
    """All figures of a comparison, as plain values.

    For each part (``test``, ``validation``) and each row: the scores of each seed's model at its own threshold; their means, with
    intervals by patient, and of two or more the standard deviation (of a sample); and the federation's AUROC less the row's, of
    each seed and of the means: DeLong's interval and test, and the interval by patient.

    Raises:
        DataError: the plan is missing, or a row was measured with other films than the others.
        RunStoreError: the store does not answer.
    """
    plan = read_plan(reader, kept.run_id)
    runs = {
        (row["row"], row["seed"]): kept.completed[row["digest"]].id
        for row in plan["rows"]
        if row["digest"] in kept.completed
    }
    return {
        "comparison": name,
        "run": kept.run_id,
        "federation": plan["federation"],
        "epochs": plan["epochs"],
        "seeds": plan["seeds"],
        "learns_from": [
            {key: row[key] for key in ("row", "seed", "images", "patients", "positives")} for row in plan["rows"]
        ],
        "refused": [{key: row[key] for key in ("row", "seed", "refusal")} for row in plan["rows"] if row["refusal"]],
        "missing": [
            {key: row[key] for key in ("row", "seed")}
            for row in plan["rows"]
            if not row["refusal"] and (row["row"], row["seed"]) not in runs
        ],
        "parts": {part: _part(reader, plan, runs, part) for part in PARTS},
    }


def _part(reader: RunReader, plan: Mapping[str, Any], runs: Mapping[tuple[str, int], str], part: str) -> dict[str, Any]:
    said: dict[str, dict[int, Said]] = {row["row"]: {} for row in plan["rows"]}
    first: Said | None = None
    for (row, seed), run_id in runs.items():
        if (found := said_of(reader, run_id, part)) is None:
            continue
        first = first or found
        if (found.ids, found.patients) != (first.ids, first.patients) or (found.targets != first.targets).any():
            raise DataError(
                f"run {run_id!r} ({row}, seed {seed}) was measured with other films of the {part} part than run {first.run_id!r}; "
                "delete it, and the comparison trains its row anew"
            )
        said[row][seed] = found
    if first is None:
        return {"images": 0, "patients": 0, "positives": 0, "rows": []}
    measure = _Measure(first, said[FEDERATION], draws=plan["draws"], seed=plan["seed"])
    rows = [measure.row(row, models) for row, models in said.items()]
    alone = {row: models for row, models in said.items() if row not in {FEDERATION, CENTRALIZED}}
    rows.append(measure.row(BEST_SITE, measure.best(alone.values())))
    return {
        "images": len(first.ids),
        "patients": len(set(first.patients)),
        "positives": int(first.targets.sum()),
        "rows": [row for row in rows if row["seeds"]],
    }


class _Measure:
    """Measures models with the films of a part."""

    def __init__(self, films: Said, federation: Mapping[int, Said], *, draws: int, seed: int) -> None:
        self._films = films
        self._federation = federation
        self._draws, self._seed = draws, seed
        self._known: dict[str, dict[str, Any]] = {}

    def row(self, row: str, models: Mapping[int, Said]) -> dict[str, Any]:
        """A row: its seeds, their means, and how the federation compares."""
        values = [{"seed": seed, "run": said.run_id, **self._scores([said])} for seed, said in models.items()]
        for value, said in zip(values, models.values(), strict=True):
            if row != FEDERATION and value["seed"] in self._federation:
                value["federation_less_this"] = self._compared([self._federation[value["seed"]]], [said])
            value["threshold"] = _plain(said.threshold)
        common = [seed for seed in models if seed in self._federation]
        return {
            "row": row,
            "seeds": values,
            "mean": self._scores(list(models.values())) if models else {},
            "deviation": {
                name: _plain(statistics.stdev(value[name]["value"] for value in values))
                for name in SCORES
                if len(values) > 1 and all(value[name]["value"] is not None for value in values)
            },
            "federation_less_this": None
            if row == FEDERATION or not common
            else {
                "seeds": common,
                **(
                    self._compared([self._federation[seed] for seed in common], [models[seed] for seed in common]) or {}
                ),
            },
        }

    def best(self, rows: Iterable[Mapping[int, Said]]) -> dict[int, Said]:
        """Of each seed the model with the greatest AUROC."""
        found: dict[int, Said] = {}
        for models in rows:
            for seed, said in models.items():
                if seed not in found or self._auroc(said) > self._auroc(found[seed]):
                    found[seed] = said
        return {seed: found[seed] for seed in sorted(found)}

    def _auroc(self, said: Said) -> float:
        value = self._scores([said])["auroc"]["value"]
        return -math.inf if value is None else float(value)

    def _scores(self, models: Sequence[Said]) -> dict[str, Any]:
        key = " ".join(said.run_id for said in models)
        if key not in self._known:
            scores = mean_scores(
                self._films.targets,
                np.stack([said.probabilities for said in models]),
                self._films.patients,
                thresholds=[said.threshold for said in models],
                draws=self._draws,
                seed=self._seed,
            )
            self._known[key] = {
                name: {key: _plain(getattr(scores[name], key)) for key in ("value", "low", "high")} for name in SCORES
            }
        return dict(self._known[key])

    def _compared(self, first: Sequence[Said], second: Sequence[Said]) -> dict[str, float | None] | None:
        """``None`` where a class is there fewer than two times."""
        try:
            found = compare(
                self._films.targets,
                np.stack([said.probabilities for said in first]),
                np.stack([said.probabilities for said in second]),
                self._films.patients,
                draws=self._draws,
                seed=self._seed,
            )
        except ValueError:
            return None
        return _of_comparison(found)


def _of_comparison(found: Comparison) -> dict[str, float | None]:
    names = ("difference", "low", "high", "z", "p", "low_by_patient", "high_by_patient")
    return {name: _plain(getattr(found, name)) for name in names}


def _plain(value: float) -> float | None:
    return float(format(value, _AS)) if math.isfinite(value) else None
