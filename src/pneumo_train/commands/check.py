"""``pneumo-train check``: says what a source holds, and whether it can be trained on."""

import argparse
import sys
from typing import Any

import click

from pneumo_train.commands.command import Command
from pneumo_train.config.settings import TrainConfig
from pneumo_train.needs import require
from pneumo_train.options import EXIT_MISTAKE, Parser, add_source, config_of
from pneumo_train.terminal import track
from pneumo_train.words import on_one_line

_OF_THE_TABLE = frozenset({"columns", "patient_column", "images", "positives", "patients", "split"})


def _parser() -> Parser:
    check = Parser(
        description="Say what a source holds and whether fit would train on it, without training: every image is "
        "decoded. Takes the options and files of fit; those of the data and the seed count here.",
        usage="pneumo-train check --source SOURCE [options of fit]",
        epilog="exit status: 0 when it can be trained on, 2 when something must be mended before",
    )
    add_source(check)
    for option in ("store", "experiment", "run_id", "checkpoint_dir", "logs_dir"):
        check.add_argument(f"--{option}", type=str | None, help=argparse.SUPPRESS)
    check.add_argument("--resume", type=bool, default=False, help=argparse.SUPPRESS)
    check.add_class_arguments(TrainConfig, None)
    return check


def _run(arguments: Any) -> int:
    require({"PIL", "numpy"})
    from pneumo_train.preparing.checking import check_source  # noqa: PLC0415 - one command's need
    from pneumo_train.preparing.data_report import report_text  # noqa: PLC0415 - as below

    progress = track("reading films", shown=arguments.progress and sys.stderr.isatty(), on_stderr=True)
    report = check_source(arguments.source, config_of(arguments), track=progress)
    for key, value in report.items():
        if key in _OF_THE_TABLE and not value:
            continue  # an error came before it: 0 would say that there are none
        if key == "notes":
            for note in value:
                click.echo(f"warning: {on_one_line(note)}", file=sys.stdout)
        elif key == "data":
            for line in report_text(value).splitlines() if value else ():
                click.echo(f"data: {on_one_line(line)}", file=sys.stdout)
        elif key == "unreadable":
            for file in value:
                click.echo(f"unreadable: {on_one_line(file)}", file=sys.stdout)
        else:
            click.echo(f"{key}: {on_one_line(_spelled(value))}", file=sys.stdout)
    return 0 if report["valid"] else EXIT_MISTAKE


def _spelled(value: Any) -> str:
    """A value of a report on one line: lists by commas, the numbers of a part of the split in words."""
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, dict):
        return "; ".join(
            f"{part} {', '.join(f'{count} {name}' for name, count in counts.items())}"
            if isinstance(counts, dict)
            else f"{part.replace('_', ' ')} {counts}"
            for part, counts in value.items()
        )
    return str(value)


COMMAND = Command(name="check", help="look at a source", parser=_parser, run=_run)
