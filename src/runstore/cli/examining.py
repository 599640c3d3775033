"""What ``runstore doctor`` looks at, one thing after the other; what cannot be looked at is a finding, too."""

import platform
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import version

from runstore.backend import Administration, Finding, Grade, Rights, SchemaState
from runstore.cli.changing import many
from runstore.errors import RunStoreError, SettingsError
from runstore.opening import open_administration, open_reader
from runstore.opening.reading import ReadOnlyStore
from runstore.plugins.registry import backend_for, find_backends
from runstore.protocol import RunReader
from runstore.recording.places import identity_of, state_dir
from runstore.recording.waiting import WaitingStore, list_waiting
from runstore.secrets import redact_word
from runstore.settings import load_settings, require_url
from runstore.texts import size_text, time_text
from runstore.urls import scheme_of


def examine(store: str | None) -> Iterator[Finding]:
    """What there is to tell of a store and of this machine, the first causes first.

    Raises:
        SettingsError: no store is named.
        PluginError: nothing here can open it.
    """
    yield Finding(subject="runstore", found=f"{version('runstore')}, Python {platform.python_version()}")
    yield from (
        Finding(
            subject="plugin",
            grade=Grade.WARNING,
            found=f"{name} failed to load: {type(error).__name__}: {error}",
            cure="update it or uninstall it",
        )
        for name, error in find_backends().broken.items()
    )
    url = require_url(load_settings(url=store))
    backend = backend_for(scheme_of(url))
    yield Finding(subject="store", found=f"{redact_word(url)}, opened by {backend.name!r}")
    is_readable = True
    if backend.administer is not None:
        with open_administration(url) as administration:
            for finding in _of_database(administration):
                is_readable = is_readable and not (finding.subject in _DOORS and finding.grade is Grade.FAULT)
                yield finding
    if is_readable:
        yield from _of_runs(url)
    yield from _of_journals(url)


_DOORS = ("connection", "schema")


def _of_database(administration: Administration) -> Iterator[Finding]:
    try:
        state = administration.schema_state()
    except RunStoreError as error:
        yield _failed("connection", error)
        return
    yield Finding(subject="connection", found="it answers")
    schema = _of_schema(state)
    yield schema
    if state.found is None:
        return
    yield from _looked("rights", lambda: [_of_rights(administration.rights())])
    if schema.grade is not Grade.FAULT:
        yield from _looked("database", administration.findings)


def _of_schema(state: SchemaState) -> Finding:
    if state.found is None:
        return Finding(
            subject="schema",
            grade=Grade.FAULT,
            found="there is no store yet",
            cure="check the URL; `runstore migrate upgrade` makes a store, and so does the first program that writes",
        )
    by = f", written by runstore {state.written_by}" if state.written_by else ""
    if not state.is_writable:
        reads = "this release reads it and cannot write it" if state.is_readable else "this release is too old for it"
        return Finding(
            subject="schema",
            grade=Grade.WARNING if state.is_readable else Grade.FAULT,
            found=f"version {state.found}{by}: {reads}",
            cure="pip install -U runstore",
        )
    if state.steps:
        reads = "" if state.is_readable else ": this release reads it once it is brought up to date"
        return Finding(
            subject="schema",
            grade=Grade.WARNING if state.is_readable else Grade.FAULT,
            found=f"version {state.found}{by}, older than {state.known}{reads}"
            if state.found < state.known
            else f"version {state.found}{by}, not complete",
            cure="runstore migrate upgrade",
        )
    return Finding(subject="schema", found=f"version {state.found}{by}")


def _of_rights(rights: Rights) -> Finding:
    user = f"{rights.user} " if rights.user else ""
    told = [
        f"{'may' if may else 'may not'} {deed}"
        for may, deed in ((rights.read, "read"), (rights.write, "write"), (rights.change, "change the schema"))
        if may is not None
    ]
    found = f"{user}{', '.join(told)}" if told else f"{user}the database does not tell"
    if rights.read is False:
        return Finding(
            subject="rights", grade=Grade.FAULT, found=found, cure="ask whoever runs the database for the right to read"
        )
    if rights.write is False:
        return Finding(
            subject="rights",
            grade=Grade.WARNING,
            found=found,
            cure="enough for looking; to keep runs, ask whoever runs the database for the right to write",
        )
    return Finding(subject="rights", found=found)


def _of_runs(url: str) -> Iterator[Finding]:
    try:
        reader = open_reader(url)
    except SettingsError:  # memory, which is empty at each opening
        yield Finding(subject="runs", found="there is nothing to look at from outside the program that has it open")
        return
    except RunStoreError as error:
        yield _failed("connection", error)
        return
    with reader:
        yield from _looked("runs", lambda: [_count(reader)])
        yield from _looked("garbage", lambda: [_garbage(reader)])


def _count(reader: RunReader) -> Finding:
    count = reader.count_runs("archived in (true, false)")
    lost = reader.count_runs("status = 'lost'")
    found = f"{many(count, 'run')}, {lost} lost"
    return Finding(subject="runs", found=found)


def _garbage(reader: RunReader) -> Finding:
    if not isinstance(reader, ReadOnlyStore):  # pragma: no cover - what open_reader gives is one
        return Finding(subject="garbage", found="not looked for")
    found = reader.source().collect_garbage(dry_run=True)
    if not found.runs and not found.files and not found.partitions:
        return Finding(subject="garbage", found="none")
    return Finding(
        subject="garbage",
        found=f"{many(found.runs, 'deleted run')} and {many(found.files, 'file')} that no run has "
        f"({size_text(found.bytes)}) can go",
        cure="runstore gc",
    )


def _of_journals(url: str) -> Iterator[Finding]:
    def look() -> list[Finding]:
        ours = identity_of(url)
        waiting = list_waiting(state_dir())
        found = [finding for each in waiting if each.store == ours for finding in of_journals(each)]
        others = [each.store for each in waiting if each.store != ours and (each.left or each.refused)]
        if others:
            found.append(
                Finding(
                    subject="journals",
                    grade=Grade.WARNING,
                    found=f"something waits here for other stores: {', '.join(others)}",
                    cure="runstore sync --list",
                )
            )
        return found or [Finding(subject="journals", found="nothing waits on this machine")]

    yield from _looked("journals", look)


def of_journals(waiting: WaitingStore) -> Iterator[Finding]:
    """What waits on this machine for one store, and what brings it in."""
    if waiting.left:
        size = size_text(sum(each.bytes for each in waiting.left))
        yield Finding(
            subject="journals",
            grade=Grade.WARNING,
            found=f"{many(len(waiting.left), 'journal')} of dead writers ({size}) since {time_text(waiting.left[0].since)}",
            cure="runstore sync",
        )
    living = [each for each in waiting.journals if each.is_alive]
    if living:
        yield Finding(
            subject="journals",
            found=f"{many(len(living), 'writer')} at work, with {size_text(sum(each.bytes for each in living))} to store",
        )
    if waiting.refused:
        yield Finding(
            subject="journals",
            grade=Grade.WARNING,
            found=f"{many(waiting.refused, 'record')} that the store refused for good, and that are kept",
            cure="mend the cause that `runstore sync` tells, then `runstore sync --requeue`",
        )


def _looked(subject: str, look: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    """What a look finds; that it failed is told, and does not keep from other looks."""
    try:
        yield from look()
    except RunStoreError as error:
        yield _failed(subject, error)
    except Exception as error:  # noqa: BLE001 - a plugin of others may raise anything
        said = f"the plugin failed to look: {type(error).__name__}: {error}"
        yield Finding(subject=subject, grade=Grade.WARNING, found=said, cure="tell whoever wrote the plugin")


def _failed(subject: str, error: RunStoreError) -> Finding:
    said, _, advice = " ".join(str(error).split()).partition("; ")
    return Finding(subject=subject, grade=Grade.FAULT, found=said, cure=advice or "see docs/errors.md")
