"""``runstore sync``: brings what the journals of dead writers on this machine still hold into their stores."""

import time
from collections.abc import Mapping
from pathlib import Path

import click

from runstore.cli.options import examples, json_option, store_option
from runstore.cli.output.text import print_line
from runstore.cli.verifying import gone_back, print_findings, verify_stores
from runstore.cli.waiting import print_waiting
from runstore.errors import RunStoreError, SettingsError, StoreFailureError, StoreUnavailableError
from runstore.local.homes import expanded
from runstore.opening.stores import open_store
from runstore.recording.adoption import QUARANTINE
from runstore.recording.discarding import DiscardReport, discard_journals, find_journals
from runstore.recording.opening import SyncReport, sync_leftovers
from runstore.recording.places import identity_of, known_stores, noted_stores
from runstore.recording.places import state_dir as default_state_dir
from runstore.recording.requeue import count_refused, requeue_refused
from runstore.secrets import HIDDEN, redact_word
from runstore.settings import load_settings

WATCH_S = 5.0
"""Seconds between two looks with ``--watch``."""


_WAY_OUT = (
    "if that store is mistyped or gone for good, `runstore sync --from THAT --to ANOTHER` brings its journals into "
    "another one, and `runstore sync --discard THAT` removes them"
)


@click.command("sync", epilog=examples("runstore sync", "runstore sync --list", "runstore sync --watch"))
@store_option
@click.option("--list", "is_list", is_flag=True, help="Only list what waits here, for which store and since when.")
@click.option("--watch", is_flag=True, help="Go on until stopped.")
@click.option("--requeue", is_flag=True, help="Then send once more what the store refused.")
@click.option(
    "--verify",
    is_flag=True,
    help="Then compare the store with what runs that have ended told it, and send again what it has forgotten.",
)
@click.option(
    "--from",
    "source",
    metavar="STORE",
    help="Bring what waits for this store, or in this journal's folder, into --store instead.",
)
@click.option(
    "--to",
    "target",
    metavar="URL",
    help="With --from, or with the --store that was mistyped: the store to bring it into.",
)
@click.option("--discard", metavar="STORE", help="Remove what waits for this store, or in this journal's folder.")
@click.option(
    "--state-dir",
    metavar="FOLDER",
    help="Where the journals lie; by default RUNSTORE_STATE_DIR or the user's state directory.",
)
@json_option
def command(  # noqa: PLR0913 - one for each option
    *,
    store: str | None,
    is_list: bool,
    watch: bool,
    requeue: bool,
    verify: bool,
    source: str | None,
    target: str | None,
    discard: str | None,
    state_dir: str | None,
    as_json: bool,
) -> None:
    """Bring what journals on this machine still hold into the store."""
    if is_list:
        if watch or requeue or verify or source or target or discard:
            raise click.UsageError("--list goes with --store, --state-dir and --json alone")
        print_waiting(load_settings(url=store).url if store else None, _base(state_dir), as_json=as_json)
        return
    if as_json and not verify:
        raise click.UsageError("--json goes with --list and with --verify")
    if verify:
        if watch or requeue or source or target or discard:
            raise click.UsageError("--verify goes with --store, --state-dir and --json alone")
        base = _base(state_dir)
        verify_stores(store, base, drain=lambda url: _sync_all([url], base, is_quiet=as_json), as_json=as_json)
        return
    if target is not None:
        if (source is None) == (store is None):
            raise click.UsageError(
                "--to goes with --from or with --store, one of them, which names the store that the journals were meant for"
            )
        source, store = source or store, target
    sync(store, watch=watch, requeue=requeue, source=source, discard=discard, state_dir=state_dir)


def sync(  # noqa: PLR0913 - the command's options
    store: str | None = None,
    *,
    watch: bool = False,
    requeue: bool = False,
    source: str | None = None,
    discard: str | None = None,
    state_dir: str | Path | None = None,
) -> None:
    """Drains what dead writers left; living writers drain themselves and are left alone.

    Args:
        store: the store's URL. By default the one of the settings; where there is none, every store that has journals
            here and whose URL needs no password.
        watch: go on until interrupted.
        requeue: then send once more what the store refused. Not together with ``watch``.
        source: another store, or a journal's folder: what waits there goes into ``store`` instead.
        discard: a store, or a journal's folder: what waits there is removed, and nothing else is done.
        state_dir: where the journals lie, by default where recorders put them.

    Raises:
        StoreUnavailableError: something waits still, because the database does not answer.
        StoreFailureError: all the rest is stored; some records were refused for good, now or before, and are kept aside.
        SettingsError: nothing is named, and what waits belongs to stores that need a password.
    """
    base = _base(state_dir)
    if sum(map(bool, (watch, requeue, source, discard))) > 1:
        raise SettingsError("give one of --watch, --requeue, --from and --discard")
    if discard is not None:
        print_line(_discarded_line(discard, discard_journals(discard, base)))
        return
    if source is not None:
        _redirect(source, store, base)
        return
    if watch:
        _watch(store, base)
        return
    lost = _sync_all(_targets(store, known_stores(base)), base)
    if requeue:
        _requeue_all(store, base)
    _check_refused(store, base)
    if lost:
        raise gone_back(lost)


def _base(state_dir: str | Path | None) -> Path:
    base = expanded(state_dir, called="--state-dir") if state_dir else default_state_dir()
    if state_dir and not base.is_dir():
        raise SettingsError(f"there is no folder {base}; --state-dir names the one that holds journals/")
    return base


def _watch(store: str | None, base: Path) -> None:
    """Goes on until interrupted; what goes wrong is told, and tried again."""
    said = ""
    try:
        while True:
            try:
                _sync_all(_targets(store, known_stores(base)), base, is_quiet=True)
                said = ""
            except RunStoreError as error:
                if str(error) != said:  # the same outage is told once
                    said = str(error)
                    print_line(f"runstore: {error}; trying again every {WATCH_S:g} s", err=True)
            time.sleep(WATCH_S)
    except KeyboardInterrupt:
        return


def _targets(store: str | None, known: Mapping[str, str]) -> list[str]:
    """The URLs to work on, of the stores given by identity with their URLs; says which others have to wait."""
    url = load_settings(url=store).url
    if url:
        others = sorted(set(known) - {identity_of(url)})
        if others:
            print_line(f"journals of other stores wait too: {', '.join(others)}; name one with --store", err=True)
        return [url]
    usable = [each for each in known.values() if HIDDEN not in each and not each.startswith("memory:")]
    locked = [each for each in known.values() if HIDDEN in each]
    if locked and not usable:
        raise SettingsError(
            f"what waits belongs to {', '.join(locked)}; give the URL with its password in --store; {_WAY_OUT}"
        )
    if locked:
        print_line(f"left alone, for want of a password (--store): {', '.join(locked)}", err=True)
    return usable


def _sync_all(urls: list[str], base: Path, *, is_quiet: bool = False) -> int:
    """Brings in what waits; gives how much stores had forgotten for good of what dead writers had told them."""
    errors, lost = [], 0
    for url in urls:
        if identity_of(url) not in known_stores(base):
            if not is_quiet:
                print_line(f"{redact_word(url)}: nothing waits")
            continue
        try:
            with open_store(url, durable=False) as opened:
                done = sync_leftovers(opened, url, state_dir=base)
        except RunStoreError as error:  # the other stores' turn comes all the same
            errors.append(f"{redact_word(url)}: {error}")
            continue
        if not is_quiet or done.journals or done.error:
            print_line(_line(url, done, base))
        if done.error is not None:
            errors.append(f"{redact_word(url)}: {done.error}")
        lost += print_findings(redact_word(url), done.findings, is_quiet=is_quiet)
    if errors:
        raise StoreUnavailableError(
            f"not everything is stored yet: {'; '.join(errors)}; run `runstore sync` again; {_WAY_OUT}"
        )
    if not urls and not is_quiet:
        print_line("nothing waits")
    return lost


def _redirect(source: str, store: str | None, base: Path) -> None:
    """Brings what waits for one store into another."""
    url = load_settings(url=store).url
    if not url:
        raise SettingsError("--from says where journals come from; say where they go with --store URL")
    journals = find_journals(source, base)
    with open_store(url, durable=False) as opened:
        done = sync_leftovers(opened, url, state_dir=base, journals_of=journals)
    print_line(_line(url, done, base))
    if done.error is not None:
        raise StoreUnavailableError(f"not everything is stored yet: {redact_word(url)}: {done.error}; run it again")
    if done.quarantined:
        raise _refusal(done.quarantined)


def _discarded_line(named: str, done: DiscardReport) -> str:
    parts = [f"{_many(done.journals, 'journal')} discarded ({_many(done.records, 'record')} that waited)"]
    if done.refused:
        parts.append(f"{_many(done.refused, 'record')} that had been refused discarded")
    if done.alive:
        parts.append(f"{done.alive} left alone, to their living writers or a newer release")
    return f"{redact_word(named)}: {', '.join(parts)}"


def _requeue_all(store: str | None, base: Path) -> None:
    """Sends what the stores refused once more."""
    refused = count_refused(base)
    urls = {identity: noted.url for identity, noted in noted_stores(base).items() if identity in refused}
    for url in _targets(store, urls) if urls else ():
        if identity_of(url) in refused:
            _requeue(url, base)


def _check_refused(store: str | None, base: Path) -> None:
    """Says which records were refused and are kept.

    Raises:
        StoreFailureError: some of them are those of the store that was asked for, or of any where none was.
    """
    url, kept = load_settings(url=store).url, 0
    for identity, count in count_refused(base).items():
        print_line(
            f"{identity}: {_many(count, 'record')} refused before, and kept; mend the cause, then `runstore sync --requeue`"
        )
        if not url or identity == identity_of(url):
            kept += count
    if kept:
        raise _refusal(kept)


def _refusal(count: int) -> StoreFailureError:
    were = "was" if count == 1 else "were"
    return StoreFailureError(
        f"not everything is stored: {_many(count, 'record')} {were} refused for good, and {'is' if count == 1 else 'are'} kept; "
        "mend the cause and run `runstore sync --requeue`, or give them up with `runstore sync --discard STORE`"
    )


def _requeue(url: str, base: Path) -> None:
    with open_store(url, durable=False) as opened:
        done = requeue_refused(opened, url, state_dir=base)
    said = f"{redact_word(url)}: {_many(done.stored, 'record')} refused before stored now"
    if done.refused:
        said += f", {done.refused} refused again ({done.reason or ''})"
    print_line(said)
    if done.error is not None:
        raise StoreUnavailableError(
            f"not everything was tried: {redact_word(url)}: {done.error}; run `runstore sync` again"
        )


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _line(url: str, done: SyncReport, base: Path) -> str:
    parts = [f"{_many(done.journals, 'journal')} drained ({_many(done.calls, 'call')}, {_many(done.points, 'point')})"]
    if done.alive:
        parts.append(f"{done.alive} left alone, to their living writers or a newer release")
    if done.quarantined:
        parts.append(f"{_many(done.quarantined, 'record')} refused, kept under {base / 'journals' / '*' / QUARANTINE}")
    if done.dropped:
        parts.append(f"{_many(done.dropped, 'call')} dropped: their runs were deleted")
    return f"{redact_word(url)}: {', '.join(parts)}"
