"""The table of a study, out of the store: figures for programs (JSON) and for people (Markdown)."""

import json
import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from pneumo_train.studying.kept import KeptStudy, figures_of, test_figures_of
from pneumo_train.studying.plan import Row, Study, Table, Task
from runstore import Run, RunReader

SCORES: Final = ("auroc", "sensitivity", "specificity", "balanced_accuracy", "ece")
"""Of the films as they are; each is there of the films made worse, too."""

_COLUMNS: Final = {
    "auroc": "AUROC",
    "sensitivity": "sensitivity",
    "specificity": "specificity",
    "balanced_accuracy": "balanced accuracy",
    "ece": "ECE",
    "mildest_ece": "ECE, mildest",
    "worse_auroc": "AUROC, made worse",
    "worse_balanced_accuracy": "balanced accuracy, made worse",
}
"""What a table for people shows, and what it calls it."""

_OF_TEST: Final = {
    "test_auroc": "AUROC, test",
    "test_sensitivity": "sensitivity, test",
    "test_specificity": "specificity, test",
    "test_balanced_accuracy": "balanced accuracy, test",
    "test_ece": "ECE, test",
}
"""What it shows where a row has a test part."""

_OF_A_KIND: Final = "{kind}_balanced_accuracy"


def study_table(reader: RunReader, study: Study, tasks: Sequence[Task], kept: KeptStudy | None) -> dict[str, Any]:
    """All that the store has of a study, as plain values.

    Of each run: the scores on the validation part at the row's own threshold; ``worse_…``, their means over the 25 ways of
    making films worse; ``contrast_balanced_accuracy`` and so on, the mean over the five strengths of a kind; and ``mildest_ece``, the
    greatest ECE of the five kinds at strength 1; and ``test_…``, the scores on its test part, at the same threshold, if there is one. Of each row the mean of its runs and, of two
    or more, the standard deviation (of a sample).

    Raises:
        DataError: a run has no figures.
        RunStoreError: the store does not answer.
    """
    completed: Mapping[str, Run] = {} if kept is None else kept.completed
    return {
        "study": study.name,
        "about": study.about,
        "run": None if kept is None else kept.run_id,
        "tables": [
            {
                "name": table.name,
                "about": table.about,
                "recipe": table.recipe,
                "set": dict(table.set),
                "seeds": list(table.seeds),
                "rows": [_row(reader, table, row, tasks, completed) for row in table.rows],
            }
            for table in study.tables
        ],
    }


def as_json(table: Mapping[str, Any]) -> str:
    """The table as JSON text."""
    return json.dumps(table, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def as_markdown(document: Mapping[str, Any]) -> str:
    """The table as Markdown, one for each of the study's."""
    return "\n".join(line for table in document["tables"] for line in _markdown(table)).strip() + "\n"


def _row(
    reader: RunReader, table: Table, row: Row, tasks: Sequence[Task], completed: Mapping[str, Run]
) -> dict[str, Any]:
    mine = [task for task in tasks if (task.table, task.row) == (table.name, row.name)]
    runs = [_run(reader, task, completed[task.digest]) for task in mine if task.digest in completed]
    means, deviations = {}, {}
    for name in runs[0] if runs else ():
        values = [run.get(name) for run in runs]  # the test part may have been looked at of some alone
        known = [value for value in values if isinstance(value, int | float)]
        if name == "seed" or len(known) < len(values):
            continue
        means[name] = statistics.fmean(known)
        if len(known) > 1:
            deviations[name] = statistics.stdev(known)
    return {
        "name": row.name,
        "set": dict(row.set),
        "of": row.of,
        "runs": runs,
        "missing": len(mine) - len(runs),
        "mean": means,
        "deviation": deviations,
    }


def _run(reader: RunReader, task: Task, run: Run) -> dict[str, Any]:
    figures = figures_of(reader, run.id)
    spent = None if run.end_time is None else (run.end_time - run.start_time).total_seconds()
    found: dict[str, Any] = {"seed": task.seed, "run": run.id, "seconds": None if spent is None else round(spent, 1)}
    found |= {name: figures["scores"]["by_name"][name]["value"] for name in SCORES}
    found |= {"threshold": figures["decision"]["threshold"], "temperature": figures["decision"]["temperature"]}
    found["shift"] = figures["decision"].get("shift", 0.0)
    if worse := figures["corruptions"]:
        for name in SCORES:
            found[f"worse_{name}"] = _mean(each["by_name"][name]["value"] for each in worse)
        for kind in sorted({each["corruption"] for each in worse}):
            mine = [each["by_name"]["balanced_accuracy"]["value"] for each in worse if each["corruption"] == kind]
            found[_OF_A_KIND.format(kind=kind)] = _mean(mine)
        mildest = [each["by_name"]["ece"]["value"] for each in worse if each["strength"] == 1]
        found["mildest_ece"] = None if None in mildest else max(mildest)
    if tested := test_figures_of(reader, run.id):
        found |= {f"test_{name}": tested["scores"]["by_name"][name]["value"] for name in SCORES}
    return {
        name: round(value, 5) if isinstance(value, float) and name != "seconds" else value
        for name, value in found.items()
    }


def _mean(values: Iterable[float | None]) -> float | None:
    """None where one has no value."""
    known = list(values)
    return None if None in known else statistics.fmean(value for value in known if value is not None)


def _markdown(table: Mapping[str, Any]) -> list[str]:
    said = " ".join(str(table["about"]).split())
    rows = [row for row in table["rows"] if row["runs"]]
    tested = _OF_TEST if any(name in row["mean"] for row in rows for name in _OF_TEST) else {}
    names = sorted({name for row in rows for name in row["mean"]} - {*_COLUMNS, *_OF_TEST})
    kinds = {name: name.split("_")[0] for name in names if name.endswith("_balanced_accuracy")}
    lines = [f"### {table['name'].capitalize()}", "", *([said, ""] if said else []), *_grid(rows, _COLUMNS | tested)]
    if kinds:
        lines += ["Balanced accuracy on films made worse in one way, the mean over its five strengths:", ""]
        lines += _grid(rows, kinds)
    if waiting := [row["name"] for row in table["rows"] if not row["runs"]]:
        lines += [f"Not run yet: {'; '.join(waiting)}.", ""]
    return lines


def _grid(rows: Iterable[Mapping[str, Any]], columns: Mapping[str, str]) -> list[str]:
    lines = [f"| row | {' | '.join(columns.values())} |", f"|---|{'---|' * len(columns)}"]
    for row in rows:
        cells = [_cell(row, name) for name in columns]
        lines.append(f"| {row['name']}{_still_missing(row)} | {' | '.join(cells)} |")
    return [*lines, ""] if len(lines) > 2 else []  # noqa: PLR2004 - a head alone


def _still_missing(row: Mapping[str, Any]) -> str:
    there = len(row["runs"])
    return f" ({there} of {there + row['missing']} runs)" if row["missing"] else ""


def _cell(row: Mapping[str, Any], name: str) -> str:
    if name not in row["mean"]:
        return "–"
    mean = f"{row['mean'][name]:.3f}"
    return f"{mean} ± {row['deviation'][name]:.3f}" if name in row["deviation"] else mean
