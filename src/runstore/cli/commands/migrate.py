"""``runstore migrate``: the schema of a store, before and after it is brought up to date."""

import click
import msgspec

from runstore.backend import Rights, SchemaState
from runstore.cli.changing import ask
from runstore.cli.groups import Subcommands
from runstore.cli.options import examples, json_option, store_option
from runstore.cli.output.programs import print_json
from runstore.cli.output.tables import print_facts
from runstore.cli.output.text import print_line
from runstore.opening import open_administration
from runstore.secrets import redact_word
from runstore.settings import load_settings, require_url


@click.group("migrate", cls=Subcommands)
def command() -> None:
    """See which schema a store has, and bring it up to date."""


@command.command("status", epilog=examples("runstore migrate status --store sqlite:///runs.db"))
@store_option
@json_option
def status(*, store: str | None, as_json: bool) -> None:
    """Tell the schema of a store, what an upgrade would do, and what this user may do; nothing is changed."""
    with open_administration(store) as administration:
        state = administration.schema_state()
        rights = administration.rights()
    if as_json:
        print_json(msgspec.to_builtins(state) | {"rights": rights})
        return
    print_facts(
        [
            ["store", redact_word(require_url(load_settings(url=store)))],
            ["schema", _schema(state)],
            *([["written by", f"runstore {state.written_by}"]] if state.written_by else []),
            *([["user", rights.user]] if rights.user else []),
            ["may", _may(rights)],
            ["upgrade", "nothing to do" if not state.steps else "\n".join(state.steps)],
        ]
    )


@command.command(
    "upgrade", epilog=examples("runstore migrate upgrade", "runstore migrate upgrade --store sqlite:///runs.db --yes")
)
@store_option
@click.option("--yes", "is_sure", is_flag=True, help="Do not ask.")
@json_option
def upgrade(*, store: str | None, is_sure: bool, as_json: bool) -> None:
    """Make the schema of a store, or bring it up to date, while others use it.

    It says what it would do, and asks. Programs of this release do the same when they first open the store to write, if
    their user may; so this is for databases whose writers may not, and for those who want to choose the time.
    """
    with open_administration(store) as administration:
        before = administration.schema_state()
        if before.steps and not is_sure:
            ask("bring the schema up to date", before.steps)
        administration.upgrade()  # also where nothing is to be done: what this release cannot write is told
        state = administration.schema_state()
    if as_json:
        print_json(msgspec.to_builtins(state) | {"found_before": before.found})
    elif not before.steps:
        print_line(f"nothing to do: {_schema(state)}")
    elif before.found is None:
        print_line(f"made: {_schema(state)}")
    else:
        print_line(f"brought from version {before.found} to {state.found}")


def _schema(state: SchemaState) -> str:
    if state.found is None:
        return f"none yet; this release writes version {state.known}"
    if state.found == state.known:
        return f"version {state.found}, which this release writes"
    reads = [
        f"{'can' if can else 'cannot'} {deed} it"
        for can, deed in ((state.is_readable, "read"), (state.is_writable, "write"))
    ]
    return f"version {state.found}; this release writes version {state.known}: it {' and '.join(reads)}"


def _may(rights: Rights) -> str:
    told = {"read": rights.read, "write": rights.write, "change the schema": rights.change}
    known = [f"{deed}: {'yes' if may else 'no'}" for deed, may in told.items() if may is not None]
    return ", ".join(known) or "the database does not tell"
