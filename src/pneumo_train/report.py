"""What a person is told of a run, on a terminal; the numbers come back out of the store."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pneumo_train.result import TrainingResult
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


def print_summary(result: TrainingResult, store_url: str | None, *, console: Console) -> None:
    """Where the run is, how well it went, and how to look at it. Secrets in the URL are hidden."""
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="bold", no_wrap=True)
    facts.add_column(overflow="fold")
    shown = redact(store_url) if store_url else None
    facts.add_row("run", result.run_id)
    facts.add_row("experiment", Text(result.experiment_name))
    facts.add_row("store", Text(shown or "none: metrics were written to files only"))
    facts.add_row("best", f"{result.monitor} {result.best_model_score:.4f} in epoch {result.best_epoch}")
    facts.add_row("epochs", f"{result.total_epochs_trained}{' (stopped early)' if result.stopped_early else ''}")
    facts.add_row("checkpoint", Text(result.best_model_path))
    facts.add_row("plot", Text(result.plot_path))
    if shown:
        facts.add_row("look at it", Text(f"runstore show {result.run_id} --store '{shown}'"))
    console.print(facts)
    if shown and not result.is_recorded:
        console.print("[bold yellow]The store did not take everything:[/] see the warnings above.")


def print_history(reader: RunReader, run_id: str, *, console: Console) -> None:
    """A run's metrics by epoch, as the store gives them back; the best validation AUROC is marked."""
    histories = [reader.get_history(run_id, name, dataset_type) for name, dataset_type in HISTORY_COLUMNS]
    columns = [dict(zip(history.steps, history.values, strict=True)) for history in histories]
    marked = _best_step(columns[HISTORY_COLUMNS.index(("auroc", DatasetType.VALIDATION))])
    table = Table(title=f"run {run_id}", title_justify="left")
    table.add_column("epoch", justify="right")
    for name, dataset_type in HISTORY_COLUMNS:
        table.add_column(f"{name}\n{dataset_type}", justify="right")
    for step in sorted({step for column in columns for step in column}):
        cells = [f"{column[step]:.4f}" if step in column else "" for column in columns]
        table.add_row(str(step), *cells, style="bold green" if step == marked else None)
    console.print(table)


def _best_step(values: dict[int, float]) -> int | None:
    finite: Sequence[int] = [step for step, value in values.items() if value == value]  # noqa: PLR0124 - NaN is not itself
    return max(finite, key=lambda step: (values[step], -step)) if finite else None
