"""``runstore copy``: runs from one store into another."""

from collections.abc import Mapping, Sequence

import click

from runstore.backend import BackendStore
from runstore.cli.changing import ask, named
from runstore.cli.finding import find_experiment
from runstore.cli.options import examples, json_option
from runstore.cli.output.programs import print_json
from runstore.cli.output.text import print_line
from runstore.cli.progress import progress
from runstore.cli.same_stores import are_same_store
from runstore.errors import SchemaError, SettingsError, StoreFailureError
from runstore.model import Run
from runstore.moving import Outcome, Report, Selection, Survey, copy, survey, worked_on
from runstore.opening.administering import open_administration
from runstore.opening.stores import open_reader, open_store
from runstore.protocol import RunReader
from runstore.recording.places import identity_of, state_dir
from runstore.recording.waiting import list_waiting
from runstore.secrets import redact_word
from runstore.texts import size_text, time_text
from runstore.urls import scheme_of

_WORDS = {
    Outcome.NEW: "new",
    Outcome.UPDATED: "brought up to date",
    Outcome.UNCHANGED: "unchanged",
    Outcome.REFUSED: "refused",
}


@click.command(
    "copy",
    epilog=examples(
        "runstore copy sqlite:///runs.db postgresql://me@host/lab",
        "runstore copy sqlite:///runs.db mongodb://host/lab --dry-run",
    ),
)
@click.argument("source", metavar="SRC")
@click.argument("target", metavar="DST")
@click.option("--experiment", metavar="NAME", help="Only runs of this experiment; its id does as well.")
@click.option("--filter", "where", metavar="TEXT", help="Only runs that fit, such as: status = 'completed'")
@click.option("--src-artifacts", metavar="PLACE", help="Where SRC keeps the bytes of artifacts, if that was named.")
@click.option("--dst-artifacts", metavar="PLACE", help="Where DST is to keep them, if that is to be named.")
@click.option("--thorough", is_flag=True, help="Compare all points and bytes that DST has, not their summaries alone.")
@click.option("--dry-run", is_flag=True, help="Only say what would be copied.")
@click.option("--yes", "is_sure", is_flag=True, help="Do not ask, also where somebody works on a run in DST.")
@json_option
def command(  # noqa: PLR0913 - an option each
    source: str,
    target: str,
    *,
    experiment: str | None,
    where: str | None,
    src_artifacts: str | None,
    dst_artifacts: str | None,
    thorough: bool,
    dry_run: bool,
    is_sure: bool,
    as_json: bool,
) -> None:
    """Copy runs from one store into another, with all that they have.

    SRC and DST are the URLs of two stores on any databases. What DST has already is not sent again, and a copy that was
    cut off goes on where it was: run it again. Runs that go on are copied as they stand. Where somebody works on a run in
    DST, which a copy would take back to what it is in SRC, it asks first.
    """
    if are_same_store(source, target):
        raise SettingsError("SRC and DST are the same store; name another one to copy to")
    if scheme_of(target) == "memory":
        raise SettingsError("DST is gone when this command ends: name a store that stays, such as sqlite:///runs.db")
    if any(each.journals and each.store == identity_of(source) for each in list_waiting(state_dir())):
        print_line(
            f"journals on this machine hold more for SRC: `runstore sync --store {redact_word(source)}` first", err=True
        )
    with open_reader(source, artifacts=src_artifacts) as reader:
        experiment_id = None if experiment is None else find_experiment(reader, experiment).id
        selection = Selection(filter=where, experiment_id=experiment_id)
        if dry_run:
            _print_survey(_surveyed(reader, target, selection), as_json=as_json)
            return
        count = selection.count(reader)
        with open_store(target, durable=False, artifacts=dst_artifacts) as store:
            if not isinstance(store, BackendStore):
                raise TypeError(store)
            if not is_sure:
                _ask_about(worked_on(reader, store, selection))
            with progress("copying", count) as bar:
                report = copy(reader, store, selection, is_thorough=thorough, told=bar)
    if as_json:
        print_json(report)
    else:
        _print_report(report)
    if not report.is_whole:
        failed = {trouble.run_id for trouble in report.troubles if not trouble.is_minor}
        raise StoreFailureError(
            f"not everything was copied: {_many(len(failed), 'run')} lacked something, as is told above; all others were copied"
        )


def _ask_about(runs: Sequence[Run]) -> None:
    if runs:
        told = [f"{named(run)}: in progress in DST, last heartbeat {time_text(run.heartbeat_at)}" for run in runs]
        ask(f"take {_many(len(runs), 'run')} that somebody works on in DST back to what SRC has", told)


def _surveyed(reader: RunReader, target: str, selection: Selection) -> Survey:
    try:
        with open_reader(target) as there:
            return survey(reader, there, selection)
    except SchemaError as error:
        # A foreign one, a newer release's, or one that must be brought up to date first.
        if type(error) is not SchemaError or _has_schema(target):
            raise
        return survey(reader, None, selection)  # there is no store yet: the copy will make it


def _has_schema(url: str) -> bool:
    with open_administration(url) as administration:
        return administration.schema_state().found is not None


def _print_survey(found: Survey, *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    size = size_text(found.bytes)
    print_line(
        f"would copy {_counts(found.runs)}; at most {found.points:,} points, {_many(found.files, 'file')} ({size})"
    )


def _print_report(report: Report) -> None:
    size = size_text(report.bytes)
    print_line(f"{_counts(report.runs)}; {report.points:,} points, {_many(report.files, 'file')} ({size}) sent")
    for trouble in report.troubles:
        print_line(f"{trouble.run_id}, {trouble.what}: {trouble.reason}", err=True)


def _counts(runs: Mapping[Outcome, int]) -> str:
    """``12 runs: 10 new, 2 unchanged``."""
    parts = [f"{runs[outcome]:,} {word}" for outcome, word in _WORDS.items() if runs.get(outcome)]
    return f"{_many(sum(runs.values()), 'run')}{': ' if parts else ''}{', '.join(parts)}"


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
