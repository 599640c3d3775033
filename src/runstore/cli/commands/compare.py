"""``runstore compare``: runs side by side."""

import string
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import click
import msgspec

from runstore.cli.comparing import Compared, MetricRow, Row, compare
from runstore.cli.finding import find_run
from runstore.cli.options import Form, examples, form_options, store_option
from runstore.cli.output.programs import print_csv, print_json
from runstore.cli.output.tables import Column, lay_out, say_left_out
from runstore.cli.output.text import print_line
from runstore.cli.series import series_meant
from runstore.errors import InvalidValueError
from runstore.frames.columns import text_of
from runstore.model import Run, SeriesSummary
from runstore.opening.stores import open_reader
from runstore.texts import duration_text, time_text, time_zone

_TITLES: Final = {"config": "configuration", "tag": "tags", "run": "run", "provenance": "provenance"}
_STATS: Final = ("min", "max", "last")
_FEWEST: Final = 2
_LONG_KEY: Final = 24
_END_OF_ID: Final = 12


@click.command(
    "compare",
    epilog=examples(
        "runstore compare @1 @2",
        "runstore compare 0197f3c2 0197f3d8 @1 --best validation/wer=min",
        "runstore compare @1 @2 --all --csv > runs.csv",
    ),
)
@click.argument("runs", metavar="RUN RUN...", nargs=-1)
@store_option
@click.option("--all", "is_all", is_flag=True, help="Also what is the same in all of them.")
@click.option(
    "--best",
    metavar="METRIC=min|max|last",
    multiple=True,
    help="Which value of a metric is the best, if its name does not say it; may be given several times.",
)
@form_options
def command(*, runs: Sequence[str], store: str | None, is_all: bool, best: Sequence[str], form: Form) -> None:
    """Show runs side by side: what differs, and what their metrics came to.

    RUN is its id, the beginning or the end of it, its name, or @1 for the newest. Of a metric the best value is shown, and the
    best of all marked with a star: the lowest of a loss or an error, the highest of an accuracy, auroc or score; of others
    the last value, without a star.
    """
    with open_reader(store) as reader:
        chosen = {run.id: run for run in (find_run(reader, each) for each in runs)}
        if len(chosen) < _FEWEST:
            raise click.UsageError("name at least two runs, as in runstore compare @1 @2")
        compared = compare(reader, list(chosen.values()), is_all=is_all, stats=_chosen_by(best))
    if form is Form.JSON:
        _print_json(compared)
    elif form is Form.CSV:
        _print_csv(compared)
    else:
        _print_tables(compared, is_all=is_all)


def _chosen_by(best: Sequence[str]) -> Callable[[Iterable[SeriesSummary]], Mapping[tuple[str, str], str]]:
    """Which value counts, by name and dataset type, of the series that ``--best`` names."""

    def chosen(summaries: Iterable[SeriesSummary]) -> Mapping[tuple[str, str], str]:
        there_are = list({(each.name, str(each.dataset_type)): each for each in summaries}.values())
        found: dict[tuple[str, str], str] = {}
        for text in best:
            name, _, stat = text.rpartition("=")
            if not name or stat not in _STATS:
                raise InvalidValueError(f"--best is {text!r}; give a metric and min, max or last, such as loss=min")
            for each in series_meant(there_are, [name], whose="these runs have"):
                found[each.name, str(each.dataset_type)] = stat
        return found

    return chosen


def _print_json(compared: Compared) -> None:
    sections: dict[str, dict[str, Any]] = {section: {} for section in _TITLES}
    for row in compared.rows:
        sections[row.section][row.key] = row.values
    print_json(
        {
            "runs": [
                msgspec.to_builtins(run) | {"experiment": compared.experiments[run.experiment_id]}
                for run in compared.runs
            ],
            **sections,
            "metrics": [row._asdict() for row in compared.metrics],
        }
    )


def _print_csv(compared: Compared) -> None:
    """A line a key, a column a run."""
    ids = [run.id for run in compared.runs]
    print_csv(
        ["section", "key", "stat", "best", *ids],
        [
            *([row.section, row.key, None, None, *map(row.values.get, ids)] for row in compared.rows),
            *(
                ["metric", row.series, row.stat, " ".join(row.best), *map(row.values.get, ids)]
                for row in compared.metrics
            ),
        ],
    )


def _print_tables(compared: Compared, *, is_all: bool) -> None:
    letters = {run.id: _letter(number) for number, run in enumerate(compared.runs)}
    left_out = _print_runs(compared.runs, letters)
    for section, title in _TITLES.items():
        rows = [row for row in compared.rows if row.section == section]
        if rows:
            cells = [[row.key, *(_text(row, run_id) for run_id in letters)] for row in rows]
            left_out += _print_side_by_side([title], letters.values(), cells)
    if not compared.rows and not is_all:
        print_line("\nConfiguration, tags and provenance are the same: --all shows them.")
    if compared.metrics:
        metrics = [[row.series, row.stat, *(_value(row, each) for each in letters)] for row in compared.metrics]
        left_out += _print_side_by_side(["metric", ""], letters.values(), metrics, are_numbers=True)
    else:
        print_line("\nThe runs have no metrics.")
    say_left_out(left_out, advice="widen the window, or name fewer")


def _letter(number: int) -> str:
    """A, B, … Z, and then numbers: runs by which a column can be named without their id."""
    letters = string.ascii_uppercase
    return letters[number] if number < len(letters) else f"R{number + 1}"


def _print_runs(runs: Sequence[Run], letters: Mapping[str, str]) -> list[str]:
    """A line for each run; gives the columns for which there was no room."""
    return lay_out(
        [
            Column(""),
            Column("run"),
            Column("name", may_be_cut=True, goes=1),
            Column("status"),
            Column(f"started\n({time_zone()})", goes=2, cuts_others=True),
            Column("took", goes=3, is_number=True, cuts_others=True),
        ],
        [
            [
                letters[run.id],
                run.id,
                run.name or "",
                run.status.value,
                time_text(run.start_time, to_seconds=False),
                duration_text(run),
            ]
            for run in runs
        ],
    )


def _print_side_by_side(
    titles: Sequence[str], letters: Iterable[str], rows: Sequence[Sequence[str]], *, are_numbers: bool = False
) -> list[str]:
    """A table with a column for each run; gives those for which there was no room."""
    print_line("")
    columns = [
        Column(letter, may_be_cut=not are_numbers, goes=number, is_number=are_numbers, cuts_others=True)
        for number, letter in enumerate(letters)
    ]
    first, *others = titles
    is_long = any(len(row[0]) > _LONG_KEY for row in rows)
    return lay_out([Column(first, may_be_cut=is_long), *map(Column, others), *columns], rows)


def _text(row: Row, run_id: str) -> str:
    """The value; of another run's id the end, by which that run can be named as well."""
    if run_id not in row.values:
        return ""
    text = text_of(row.values[run_id])
    return text[-_END_OF_ID:] if row.section == "run" and row.key.endswith("_run_id") else text


def _value(row: MetricRow, run_id: str) -> str:
    """The value, with a place for the star, so that digits stand below one another."""
    if run_id not in row.values:
        return ""
    return f"{row.values[run_id]:.6g} {'*' if run_id in row.best else ' '}"
