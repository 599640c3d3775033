"""``runstore history``: the points of metrics."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO, Final, NamedTuple, cast

import click

from runstore.cli.finding import find_run
from runstore.cli.options import Form, examples, form_options, store_option
from runstore.cli.output.plot import plotted
from runstore.cli.output.programs import print_csv, print_json
from runstore.cli.output.tables import Column, print_table
from runstore.cli.output.text import print_line, terminal_width
from runstore.cli.series import series_meant, series_text
from runstore.errors import InvalidValueError
from runstore.frames import Frame
from runstore.frames.parquet import has_parquet, write_parquet
from runstore.local.files import copy_out
from runstore.model import History, from_microseconds
from runstore.opening.stores import open_reader
from runstore.protocol import RunReader

_IN_A_PIPE: Final = 80
"""Columns of a plot where there is no terminal."""
_POINTS_A_COLUMN: Final = 4
"""Of a plot: a character is two dots wide, of each of which the lowest and the highest value is shown."""
_LEAST_SAMPLE: Final = 4
_ROWS: Final = 20
_HIGH, _LOW = 15, 8
"""Lines of a plot that stands alone, and of each of several."""


class _Range(NamedTuple):
    """Which points somebody asked for; of a sample at most ``most`` of a series."""

    min_step: int | None
    max_step: int | None
    most: int | None


@click.command(
    "history",
    epilog=examples(
        "runstore history @1 loss",
        "runstore history @1 train/loss validation/loss --plot",
        "runstore history 0197f3c2 loss --csv > loss.csv",
    ),
)
@click.argument("run")
@click.argument("metrics", metavar="METRIC...", nargs=-1)
@store_option
@click.option("--plot", "is_plotted", is_flag=True, help="Draw the curves in the terminal.")
@click.option("--min-step", type=click.IntRange(min=0), metavar="N", help="No points before this step.")
@click.option("--max-step", type=click.IntRange(min=0), metavar="N", help="No points behind this step.")
@click.option(
    "--points",
    type=click.IntRange(min=_LEAST_SAMPLE),
    metavar="N",
    help="At most so many points of each series; by default what a terminal shows, and all in JSON, CSV and Parquet.",
)
@click.option("--all", "is_all", is_flag=True, help="All points.")
@click.option("--parquet", metavar="FILE", help="Write a Parquet file; needs pyarrow.")
@click.option("--force", is_flag=True, help="Replace a file that is there already.")
@form_options
def command(  # noqa: PLR0913 - an option each
    run: str,
    metrics: Sequence[str],
    *,
    store: str | None,
    is_plotted: bool,
    min_step: int | None,
    max_step: int | None,
    points: int | None,
    is_all: bool,
    parquet: str | None,
    force: bool,
    form: Form,
) -> None:
    """Show the points of metrics, step by step.

    RUN is its id, the beginning or the end of it, its name, or @1 for the newest. METRIC is a name, which means that metric
    of each dataset type, or both: train/loss, val_loss.
    """
    if is_all and points is not None:
        raise click.UsageError("--all and --points exclude each other")
    if sum((is_plotted, parquet is not None, form is not Form.TABLE)) > 1:
        raise click.UsageError("--plot, --parquet, --json and --csv exclude each other")
    if parquet is not None and not has_parquet():
        raise InvalidValueError(
            "--parquet needs pyarrow, which is not installed: pip install pyarrow; --csv needs nothing"
        )
    is_shown = form is Form.TABLE and parquet is None
    most = points if points is not None or is_all or not is_shown else _sample_size(is_plotted=is_plotted)
    chosen = _Range(min_step, max_step, most)
    with open_reader(store) as reader:
        run_id = find_run(reader, run).id
        keys = _keys(reader, run_id, metrics)
        if parquet is not None:
            low, high, most = chosen
            frame = reader.history_frame(run_id, keys, max_points=most, min_step=low, max_step=high, as_="frame")
            _write(frame, Path(parquet), overwrite=force)
            return
        histories = [_read(reader, run_id, key, chosen) for key in keys]
    if form is Form.JSON:
        _print_json(run_id, histories)
    elif form is Form.CSV:
        _print_csv(run_id, histories)
    else:
        _print_plots(histories) if is_plotted else _print_table(histories)
        _say_sampled(histories)


def _sample_size(*, is_plotted: bool) -> int:
    return _POINTS_A_COLUMN * (terminal_width() or _IN_A_PIPE) if is_plotted else _ROWS


def _keys(reader: RunReader, run_id: str, metrics: Sequence[str]) -> list[tuple[str, str]]:
    summaries = reader.get_summaries(run_id)
    if not metrics:
        there_are = ", ".join(map(series_text, summaries)) or "none"
        raise InvalidValueError(f"name a metric, as in runstore history {run_id} loss; the run has {there_are}")
    return [
        (each.name, str(each.dataset_type)) for each in series_meant(summaries, metrics, whose=f"run {run_id!r} has")
    ]


def _read(reader: RunReader, run_id: str, key: tuple[str, str], chosen: _Range) -> History:
    low, high, most = chosen
    if most is None:
        return reader.get_history(run_id, *key, min_step=low, max_step=high)
    return reader.sample_history(run_id, *key, max_points=most, min_step=low, max_step=high)


def _write(frame: Frame, target: Path, *, overwrite: bool) -> None:
    """A Parquet file that appears whole or not at all."""
    with TemporaryFile() as file:
        bytes_of_it = cast("BinaryIO", file)
        write_parquet(frame, bytes_of_it)
        file.seek(0)
        copy_out(bytes_of_it, target, overwrite=overwrite)
    print_line(f"{target}: {len(frame):,} points")


def _print_json(run_id: str, histories: Sequence[History]) -> None:
    print_json(
        [
            {
                "run_id": run_id,
                "name": each.name,
                "dataset_type": str(each.dataset_type),
                "represents": each.represents,
                "steps": list(each.steps),
                "values": list(each.values),
                "logged_at": list(map(from_microseconds, each.logged_at_us)),
            }
            for each in histories
        ]
    )


def _print_csv(run_id: str, histories: Sequence[History]) -> None:
    print_csv(
        ["run_id", "name", "dataset_type", "step", "value", "logged_at"],
        (
            [run_id, each.name, str(each.dataset_type), step, value, from_microseconds(at)]
            for each in histories
            for step, value, at in zip(each.steps, each.values, each.logged_at_us, strict=True)
        ),
    )


def _print_table(histories: Sequence[History]) -> None:
    """A line for each step that any of them has."""
    by_step: dict[int, dict[int, float]] = {}
    for number, history in enumerate(histories):
        for step, value in zip(history.steps, history.values, strict=True):
            by_step.setdefault(step, {})[number] = value
    if not by_step:
        print_line("There are no points between these steps.")
        return
    print_table(
        [
            Column("step", is_number=True),
            *(
                Column(f"{each.dataset_type}\n{each.name}", goes=number, is_number=True)
                for number, each in enumerate(histories)
            ),
        ],
        [
            [str(step), *(f"{values[number]:.6g}" if number in values else "" for number in range(len(histories)))]
            for step, values in sorted(by_step.items())
        ],
        advice="widen the window, or name fewer",
    )


def _print_plots(histories: Sequence[History]) -> None:
    """A picture for each series, below one another."""
    wanted = _HIGH if len(histories) == 1 else _LOW
    height = min(wanted, max(shutil.get_terminal_size().lines - 6, 3))
    for number, history in enumerate(histories):
        if number:
            print_line("")
        print_line(f"{history.dataset_type}/{history.name}", bold=True)
        lines = plotted(history.steps, history.values, width=terminal_width() or _IN_A_PIPE, height=height)
        for line in lines or ["no value is a finite number" if len(history) else "there are no points"]:
            click.echo(line)


def _say_sampled(histories: Sequence[History]) -> None:
    for each in histories:
        if each.is_sampled:
            print_line(
                f"{each.dataset_type}/{each.name}: {len(each):,} of {each.represents:,} points, with the extremes; "
                "--points N shows more, --all all.",
                err=True,
            )
