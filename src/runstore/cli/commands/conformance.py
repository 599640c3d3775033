"""``runstore conformance``."""

import json
import os
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import click

from runstore.cli.changing import many
from runstore.cli.options import examples, json_option
from runstore.cli.output.tables import Column, print_table
from runstore.cli.output.text import print_line
from runstore.errors import ConflictError, MissingDriverError
from runstore.opening import open_administration, open_reader
from runstore.secrets import redact
from runstore.urls import scheme_of

_KIT: Final = "runstore.testing"
_NEEDS: Final = (_KIT, "pytest", "hypothesis")
_NOT_CHOSEN: Final = "no test of it was run"
"""What a report says of a clause that was left out by ``--tests``."""
_NO_TESTS: Final = 5
"""What pytest ends with where no test was chosen."""


@click.command(
    "conformance",
    epilog=examples(
        "runstore conformance postgresql://me@host/lab", "runstore conformance sqlite:///trial.db --tests metric"
    ),
)
@click.argument("url")
@click.option("--tests", metavar="WORDS", help="Only tests whose names match, as pytest's -k has it.")
@click.option("--verbose", "is_verbose", is_flag=True, help="Show what pytest prints, with each failure.")
@json_option
def command(url: str, *, tests: str | None, is_verbose: bool, as_json: bool) -> None:
    """Try out whether a server keeps the whole contract, as Aurora, CockroachDB or FerretDB may.

    It makes databases, folders or schemas of its own there, called runstore_scratch_ and a number, and removes them. A
    store that holds runs is refused: name an empty database of the same server. It ends with 1 if a clause is broken.
    """
    missing = [name for name in _NEEDS if not _is_installed(name)]
    if missing:
        raise MissingDriverError(
            f"the tests of the contract need {' and '.join(missing)}, not installed here; run: pip install runstore-testing"
        )
    _refuse_runs(url)
    with tempfile.TemporaryDirectory(prefix="runstore-conformance-") as folder:
        written = Path(folder) / "report.json"
        done = _run(url, Path(folder), written, tests=tests, is_verbose=is_verbose)
        text = written.read_text(encoding="utf-8") if written.exists() else ""
    _print(text, as_json=as_json)
    if done.returncode:
        if not is_verbose:
            _say_failures(done)
        raise click.exceptions.Exit(1)


def _is_installed(name: str) -> bool:
    found = find_spec(name)
    # Where the kit is not installed, a module stands in the place of the package and says so.
    return found is not None and (name != _KIT or found.submodule_search_locations is not None)


def _refuse_runs(url: str) -> None:
    with open_administration(url) as administration:
        state = administration.schema_state()
    if state.found is None or not state.is_readable:
        return
    with open_reader(url) as reader:
        count = reader.count_runs("archived in (true, false)")
    if count:
        raise ConflictError(
            f"this store holds {many(count, 'run')}, and trials belong beside no runs; name an empty database of the same server"
        )


def _run(
    url: str, folder: Path, report: Path, *, tests: str | None, is_verbose: bool
) -> "subprocess.CompletedProcess[str]":
    from runstore.testing import against_url  # noqa: PLC0415 - the kit loads pytest and hypothesis

    config = folder / "pytest.ini"
    config.write_text("[pytest]\n", encoding="utf-8")  # whatever lies in the working directory is another project's
    words = [
        sys.executable,
        "-m",
        "pytest",
        "-c",
        str(config),
        "-p",
        "no:cacheprovider",
        "-p",
        "runstore.testing.plugin",
    ]
    words += ["--runstore-report", str(report), "--basetemp", str(folder / "tests"), "-q", against_url.__file__]
    environment = os.environ | {
        against_url.URL: url,
        against_url.NAME: scheme_of(url),
        "RUNSTORE_STATE_DIR": str(folder / "state"),
    }
    environment.pop("RUNSTORE_URL", None)
    return subprocess.run(  # noqa: S603 - our own words; the URL goes by the environment, where nobody reads it
        [*words, *(["-k", tests] if tests else [])],
        env=environment,
        cwd=folder,
        check=False,
        text=True,
        stdout=None if is_verbose else subprocess.PIPE,
        stderr=None if is_verbose else subprocess.STDOUT,
    )


def _print(text: str, *, as_json: bool) -> None:
    """A line for each family of clauses, and below it what is not kept, or not shown to be."""
    from runstore.testing.clauses import FAMILIES  # noqa: PLC0415 - as above
    from runstore.testing.report import OUTCOMES, ConformanceReport  # noqa: PLC0415 - as above

    if not text:
        return
    if as_json:
        click.echo(text, nl=False)
        return
    for backend, clauses in json.loads(text)["backends"].items():
        rows = []
        for family, subject in FAMILIES.items():
            found = [each["outcome"] for clause, each in clauses.items() if clause.startswith(f"{family}.")]
            rows.append([family, subject, *(str(found.count(outcome) or "") for outcome in OUTCOMES)])
        print_line(f"{backend}, in clauses of the contract:")
        outcomes = [Column(outcome, is_number=True) for outcome in OUTCOMES]
        print_table([Column("family"), Column("about", goes=1), *outcomes], rows)
    print_line("")
    for line in ConformanceReport.from_json(text).as_text():
        if not line.endswith(_NOT_CHOSEN):
            print_line(line)


def _say_failures(done: "subprocess.CompletedProcess[str]") -> None:
    if done.returncode == _NO_TESTS:
        print_line("No test was chosen; --tests takes words of their names.", err=True)
        return
    lines = (done.stdout or "").splitlines()
    found = [line for line in lines if line.startswith(("FAILED", "ERROR", "E   "))] or lines
    for line in found[-_MOST_SHOWN:]:
        print_line(redact(line), err=True)
    print_line("--verbose shows each failure whole.", err=True)


_MOST_SHOWN: Final = 20
