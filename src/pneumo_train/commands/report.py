"""``pneumo-train report``: the model card of a stored run, or a checklist for authors filled from the store."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pneumo_train.commands.command import Command
from pneumo_train.errors import ConfigError
from pneumo_train.options import Parser

if TYPE_CHECKING:
    from pneumo_train.reporting.checklist import Edition


def _parser() -> Parser:
    report = Parser(
        description="Write the model card of a stored run, or a checklist for authors of which each item is filled from the "
        "store or named as one that a person must fill. Nothing is made up, and nothing in the store is changed.",
        usage="pneumo-train report RUN [--store URL] [--checklist claim] [--edition 2024] [--out FILE]",
        epilog="exit status: 0 when it is written, 2 when something must be mended before",
    )
    report.add_argument(
        "run", type=str, help="a run of fit: its id, the beginning or the end of it, its name, or @1 for the newest"
    )
    report.add_argument("--store", type=str | None, help="the store that holds the run; by default as of fit")
    report.add_argument(
        "--checklist",
        type=str | None,
        help="claim: the Checklist for AI in Medical Imaging, instead of the card",
    )
    report.add_argument("--edition", type=int, default=2024, help="of the checklist: its order and numbers")
    report.add_argument("--out", type=str | None, help="the file to write, in Markdown; by default standard output")
    return report


def _run(arguments: Any) -> int:
    from pneumo_train.reporting.card import model_card  # noqa: PLC0415 - one command's need
    from pneumo_train.reporting.checklist import checklist  # noqa: PLC0415 - as above
    from pneumo_train.reporting.facts import gather_facts  # noqa: PLC0415 - as above
    from pneumo_train.stores import require_store, training_of  # noqa: PLC0415 - as above
    from runstore import open_reader  # noqa: PLC0415 - as above

    edition = _edition(arguments.edition)
    if arguments.checklist not in {None, "claim"}:
        raise ConfigError(f"option --checklist: wanted claim, found {arguments.checklist!r}")
    require_store(arguments.store)
    with open_reader(arguments.store) as reader:
        facts = gather_facts(reader, training_of(reader, arguments.run))
    text = checklist(facts, edition) if arguments.checklist else model_card(facts)
    if arguments.out is None:
        click.echo(text, nl=False, file=sys.stdout)
        return 0
    path = Path(arguments.out)
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"--out {path}: cannot be written ({error.strerror or error}); name a file that can"
        ) from error
    return 0


def _edition(number: int) -> "Edition":
    """Checked here: what the parser says of a wrong one is Python."""
    if number == 2024:  # noqa: PLR2004 - a year
        return 2024
    if number == 2020:  # noqa: PLR2004 - a year
        return 2020
    raise ConfigError(f"option --edition: wanted 2024 or 2020, found {number}")


COMMAND = Command(name="report", help="the model card of a run, or the CLAIM checklist", parser=_parser, run=_run)
