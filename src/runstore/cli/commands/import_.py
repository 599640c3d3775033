"""``runstore import``: brings what another tool has left into a store."""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Final

import click

from runstore.backend import BackendStore
from runstore.cli.options import examples, json_option, store_option
from runstore.cli.output.programs import print_json
from runstore.cli.output.text import print_line
from runstore.cli.progress import progress
from runstore.errors import SourceError
from runstore.importing import Finding, ImportReport, Told, bring_from, source_at
from runstore.moving import Outcome
from runstore.opening import open_store
from runstore.texts import size_text

_MOST_SHOWN: Final = 5
"""Findings of one kind that are shown to a person; a program gets all."""

_TITLES: Final = {
    Told.UNREADABLE: "could not be read",
    Told.DELETED: "deleted there, and left out",
    Told.LINE_CUT: "last line cut off, and left out",
    Told.STEPS_REPEATED: "steps that come twice",
    Told.STEPS_SHIFTED: "negative steps",
    Told.STEPS_COUNTED: "steps counted",
    Told.TAKEN_BACK: "points taken back, and left out",
    Told.INFINITIES: "infinities restored",
    Told.NO_NUMBERS: "values that are no numbers, left out",
    Told.TIMES_REPLACED: "times replaced",
    Told.NAME_CHANGED: "names changed",
    Told.LEFT_OUT: "left out or cut",
    Told.FILE_LEFT_OUT: "files left out",
    Told.FILES_ELSEWHERE: "files that lie elsewhere",
    Told.PARENT_MISSING: "parents that are not there",
}


@click.command(
    "import",
    epilog=examples(
        "runstore import mlruns --store sqlite:///runs.db",
        "runstore import mlflow.db --json",
        "runstore import wandb --artifacts .",
        "runstore import lightning_logs",
        "runstore import postgresql://user@host/mlflow --artifacts /data/mlartifacts",
        "runstore import mongodb://host/sacred",
    ),
)
@click.argument("source")
@store_option
@click.option(
    "--artifacts",
    metavar="FOLDER",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A folder from which files are taken that a database names, or a link; may be given several times.",
)
@json_option
def command(*, source: str, store: str | None, artifacts: Sequence[Path], as_json: bool) -> None:
    """Bring the runs of another tool into the store.

    SOURCE is a folder mlruns or a database of MLflow (a file, or a URL on PostgreSQL, MySQL or MariaDB), a folder wandb of W&B, a folder
    with event files of TensorBoard or with metrics.csv of Lightning, a database of Trackio or the folder of those, the folder of
    Neptune's exporter or of Sacred's FileStorageObserver, Sacred's database in MongoDB, or what runstore export has written. It is only read, and the tool
    need not be installed. Bring it again later, and what is new comes, too.
    """
    for folder in artifacts:
        if not folder.is_dir():
            raise SourceError(f"--artifacts {folder}: there is no such folder")
    opened = source_at(source, artifacts=artifacts)
    with open_store(store, durable=False) as target, progress("importing", opened.count()) as bar:
        if not isinstance(target, BackendStore):
            raise TypeError(target)
        report = bring_from(opened, target, told=bar)
    if as_json:
        print_json(report)
    else:
        _print(report)
    if not report.is_whole:
        raise SourceError(
            f"not all of {report.source} was brought: see what is told above; mend it, and the same command brings the rest"
        )


def _print(report: ImportReport) -> None:
    brought = report.brought
    total = sum(brought.runs.values())
    print_line(f"{report.format}: {report.source}")
    outcomes = ", ".join(f"{count} {outcome}" for outcome in Outcome if (count := brought.runs.get(outcome)))
    print_line(f"{_many(total, 'run')}{f': {outcomes}' if outcomes else ''}")
    print_line(f"{_many(brought.points, 'point')}, {_many(brought.files, 'file')} ({size_text(brought.bytes)}) written")
    if report.experiments:
        print_line(f"{_many(report.experiments, 'experiment')} without runs")
    by_kind = sorted(report.findings, key=lambda finding: list(Told).index(finding.what))
    is_cut = False
    for what, found in groupby(by_kind, key=lambda finding: finding.what):
        is_cut |= _print_findings(what, list(found))
    for trouble in brought.troubles:
        print_line(f"run {trouble.run_id}, {trouble.what}: {trouble.reason}", fg="red", err=True)
    if is_cut:
        print_line("Not all is shown; --json tells all of it.", err=True)


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _print_findings(what: Told, found: Sequence[Finding]) -> bool:
    """Prints those of one kind; whether some are not shown."""
    print_line(f"\n{_TITLES[what]}: {len(found):,}", fg="red" if what.is_failure else None, bold=True)
    for each in found[:_MOST_SHOWN]:
        key = "" if each.key is None else f" {each.key}"
        print_line(f"  {each.run}{key}: {each.text}")
    more = len(found) - _MOST_SHOWN
    if more > 0:
        print_line(f"  … and {more:,} more")
    return more > 0
