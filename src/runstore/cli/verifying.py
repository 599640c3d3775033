"""What ``runstore sync --verify`` does and says: stores compared with what ended runs told them."""

from collections.abc import Callable, Sequence
from pathlib import Path

from runstore.cli.output.programs import print_json
from runstore.cli.output.text import print_line
from runstore.errors import RunStoreError, SettingsError, StoreFailureError, StoreUnavailableError
from runstore.opening.stores import open_store
from runstore.recording.again.lookout import Finding
from runstore.recording.places import identity_of, known_stores
from runstore.recording.verifying import VerifyReport, kept_stores, verify_store
from runstore.secrets import HIDDEN, redact_word
from runstore.settings import load_settings
from runstore.texts import time_text


def verify_stores(store: str | None, base: Path, *, drain: Callable[[str], object], as_json: bool) -> None:
    """Compares a store, or all whose URL needs no password, and says what was found and done.

    Args:
        store: its URL.
        base: the state directory.
        drain: brings in first what waits for a store of this URL.
        as_json: whether a program reads it.

    Raises:
        StoreUnavailableError: something could not be compared.
        StoreFailureError: something could not be sent again.
        SettingsError: a store needs its password.
    """
    reports, errors = [], []
    urls = _urls(store, base)
    for url in urls:
        try:
            report = _verified(url, base, drain)
        except RunStoreError as error:  # the other stores' turn comes all the same
            errors.append(f"{redact_word(url)}: {error}")
            continue
        reports.append(report)
        if report.error is not None:
            errors.append(f"{redact_word(url)}: {report.error}")
        if not as_json:
            _print(redact_word(url), report)
    if as_json:
        print_json(reports)
    elif not urls:
        print_line("nothing is kept of runs that have ended")
    if errors:
        raise StoreUnavailableError(f"not everything was compared: {'; '.join(errors)}; run it again")
    if lost := sum(len(report.lost) for report in reports):
        raise gone_back(lost)


def _urls(store: str | None, base: Path) -> list[str]:
    url = load_settings(url=store).url
    if url:
        return [url]
    kept = kept_stores(base).values()
    locked = [each for each in kept if HIDDEN in each]
    usable = [each for each in kept if HIDDEN not in each]
    if locked:
        said = f"what is to be compared belongs to {', '.join(locked)}; give the URL with its password in --store"
        if not usable:
            raise SettingsError(said)
        print_line(said, err=True)
    return usable


def _verified(url: str, base: Path, drain: Callable[[str], object]) -> VerifyReport:
    if identity_of(url) in known_stores(base):
        drain(url)
    with open_store(url, durable=False) as opened:
        return verify_store(opened, url, state_dir=base)


def print_findings(store: str, findings: Sequence[Finding], *, is_quiet: bool) -> int:
    """Says what a store had forgotten; gives how much of it could not be sent again."""
    lost = 0
    for each in findings:
        lost += len(each.lost)
        if is_quiet:
            continue
        print_line(
            f"{store}: it had forgotten of run {each.run_id} {'; '.join(each.forgotten)}; {each.points} points and "
            f"{each.calls} other records sent again"
        )
        for one in each.lost:
            print_line(f"{store}: LOST of run {each.run_id}: {one}")
    return lost


def gone_back(lost: int) -> StoreFailureError:
    """The error that ends a command that found what could not be sent again."""
    return StoreFailureError(
        f"the store has gone back, and {lost} of what it had cannot be sent again; it is named above, and `runstore show` "
        "says it of each run; restore a newer backup, and run `runstore sync --verify` again"
    )


def _print(store: str, report: VerifyReport) -> None:
    print_findings(store, report.findings, is_quiet=False)
    for reason in report.refused:
        print_line(f"{store}: LOST {reason}")
    is_whole = not (report.findings or report.changes or report.lost or report.error)
    said = f"{store}: {_many(report.runs, 'run')} in {_many(report.journals, 'journal')} compared"
    said += ", all is there" if is_whole else ""
    said += f", {_many(report.changes, 'change')} sent again" if report.changes else ""
    said += f", {report.skipped} left alone, to another process" if report.skipped else ""
    print_line(said)
    if report.repairable_since is not None:
        print_line(
            f"{store}: of what was stored before {time_text(report.repairable_since)} not all points are kept here"
        )


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
