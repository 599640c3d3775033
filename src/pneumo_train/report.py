"""What a person is told of a run, on a terminal; the numbers come back out of the store."""

import math
import shlex
import sys
from collections.abc import Mapping, Sequence

import click
from rich.console import Console
from rich.table import Table

from pneumo_train.evaluating.delong import Comparison
from pneumo_train.evaluating.figures import Evaluation, Score
from pneumo_train.result import TrainingResult
from pneumo_train.words import on_one_line
from runstore import DatasetType, RunReader
from runstore.secrets import redact

HISTORY_COLUMNS: tuple[tuple[str, DatasetType], ...] = (
    ("loss", DatasetType.TRAIN),
    ("loss", DatasetType.VALIDATION),
    ("auroc", DatasetType.TRAIN),
    ("auroc", DatasetType.VALIDATION),
    ("f1", DatasetType.VALIDATION),
    ("recall", DatasetType.VALIDATION),
    ("precision", DatasetType.VALIDATION),
)


def print_summary(result: TrainingResult, store_url: str | None) -> None:
    """Where the run is, how well it went, and how to look at it. Secrets in the URL are hidden.

    Each fact stays on a line of its own, however narrow the terminal is: a path or a command that is broken in two
    cannot be copied.
    """
    url = redact(store_url) if store_url else None
    facts = {
        "run": result.run_id,
        "experiment": result.experiment_name,
        "store": url or "none: metrics were written to files only",
        "best": f"{result.monitor} {result.best_model_score:.4f} in epoch {result.best_epoch}",
        "epochs": f"{result.total_epochs_trained}{' (stopped early)' if result.stopped_early else ''}",
        **_decision_facts(result.evaluations["validation"]),
        **{part: _headline(each) for part, each in result.evaluations.items()},
        "checkpoint": result.best_model_path,
        "plot": result.plot_path,
    }
    if url:
        facts["look at it"] = f"runstore show {shlex.quote(result.run_id)} --store {shlex.quote(url)}"
        facts["in a browser"] = f"runstore ui --store {shlex.quote(url)}"
    _print_facts(facts)
    if url and not result.is_recorded:
        trouble = click.style("The store did not take everything:", bold=True, fg="yellow")
        click.echo(f"{trouble} see the warnings above.", file=sys.stdout)


def print_evaluation(evaluation: Evaluation, *, run_id: str, comparison: Comparison | None = None) -> None:
    """All scores of an evaluation with their intervals, subgroups and films made worse, a line each."""
    scores, about = evaluation.scores, evaluation.about
    facts = {
        "evaluation": run_id,
        "of run": str(about["run"]),
        "images": f"{scores.images:,} of {scores.patients:,} patients, {scores.positives:,} with pneumonia",
        **_decision_facts(evaluation),
        "decisions": f"{scores.true_positives:,} true positives, {scores.false_positives:,} false positives, "
        f"{scores.true_negatives:,} true negatives, {scores.false_negatives:,} false negatives",
        **{name: _with_interval(score) for name, score in scores.by_name.items()},
    }
    if scores.draws:
        facts["intervals"] = f"95 %, {scores.draws:,} draws of the patients"
    if comparison is not None:
        facts["against"] = (
            f"AUROC {comparison.other:.4f}, difference {comparison.difference:+.4f} "
            f"({comparison.low:+.4f} to {comparison.high:+.4f}), DeLong p = {comparison.p:.3g}; by patient "
            f"{comparison.low_by_patient:+.4f} to {comparison.high_by_patient:+.4f}"
        )
    for row in evaluation.subgroups:
        facts[f"{row.division} {row.level}"] = (
            f"{row.scores.images:,} images, AUROC {_with_interval(row.scores.by_name['auroc'])}"
            f"{f'; {row.note}' if row.note else ''}"
        )
    for worse in evaluation.corruptions:
        found = worse.scores.by_name
        facts[f"{worse.corruption} {worse.strength}"] = (
            f"AUROC {found['auroc'].value:.4f}, balanced accuracy {found['balanced_accuracy'].value:.4f}, "
            f"ECE {found['ece'].value:.4f} ({worse.setting})"
        )
    _print_facts(facts)


def _print_facts(facts: Mapping[str, str]) -> None:
    width = max(map(len, facts))
    for name, value in facts.items():
        label = click.style(name.ljust(width), bold=True)
        click.echo(f"{label}  {on_one_line(value)}", file=sys.stdout)


def _decision_facts(evaluation: Evaluation) -> dict[str, str]:
    decision = evaluation.decision
    facts = {
        "threshold": f"{decision.threshold:.4f}: {decision.rule_in_words}",
        "temperature": f"{decision.temperature:.4f}",
        **({"shift": f"{decision.shift:+.4f}"} if decision.shift else {}),
    }
    return facts | ({"but": "; ".join(decision.notes)} if decision.notes else {})


def _headline(evaluation: Evaluation) -> str:
    found = evaluation.scores.by_name
    return (
        f"AUROC {_with_interval(found['auroc'])}, sensitivity {found['sensitivity'].value:.4f}, specificity "
        f"{found['specificity'].value:.4f}, balanced accuracy {found['balanced_accuracy'].value:.4f}"
    )


def _with_interval(score: Score) -> str:
    if math.isnan(score.value):
        return "has no value"
    return f"{score.value:.4f}" + ("" if math.isnan(score.low) else f" ({score.low:.4f} to {score.high:.4f})")


def print_history(reader: RunReader, run_id: str, *, console: Console) -> None:
    """A run's metrics by epoch, as the store gives them back; the best validation AUROC is marked."""
    histories = [reader.get_history(run_id, name, dataset_type) for name, dataset_type in HISTORY_COLUMNS]
    columns = [dict(zip(history.steps, history.values, strict=True)) for history in histories]
    marked = _best_step(columns[HISTORY_COLUMNS.index(("auroc", DatasetType.VALIDATION))])
    table = Table(title=f"run {run_id}", title_justify="left", box=None, padding=(0, 1, 0, 0))
    table.add_column("epoch", justify="right")
    for name, dataset_type in HISTORY_COLUMNS:
        # Eight columns are to fit into 60 characters: a number that is cut is another number.
        table.add_column(
            f"{name}\n{'val' if dataset_type is DatasetType.VALIDATION else dataset_type}", justify="right"
        )
    for step in sorted({step for column in columns for step in column}):
        cells = [f"{column[step]:.4f}" if step in column else "" for column in columns]
        table.add_row(str(step), *cells, style="bold green" if step == marked else None)
    console.print(table)


def _best_step(values: dict[int, float]) -> int | None:
    finite: Sequence[int] = [step for step, value in values.items() if value == value]  # noqa: PLR0124 - NaN is not itself
    return max(finite, key=lambda step: (values[step], -step)) if finite else None
