"""``runstore doctor``."""

from typing import Final

import click

from runstore.backend import Finding, Grade
from runstore.cli.changing import many
from runstore.cli.examining import examine
from runstore.cli.options import examples, json_option, store_option
from runstore.cli.output.programs import print_json
from runstore.cli.output.tables import print_facts
from runstore.cli.output.text import print_line

_COLOURS: Final = {Grade.WARNING: "yellow", Grade.FAULT: "red"}


@click.command("doctor", epilog=examples("runstore doctor --store sqlite:///runs.db", "runstore doctor --json"))
@store_option
@json_option
def command(*, store: str | None, as_json: bool) -> None:
    """Look for what is wrong with a store, and say how to mend it.

    Looked at are connection, versions, schema, rights, indexes, clocks, garbage, and the journals of this machine. Nothing
    is changed. It ends with 1 if runs cannot be kept or read.
    """
    findings = list(examine(store))
    if as_json:
        print_json(findings)
    else:
        print_facts([[f"{each.grade:<8} {each.subject}", _told(each)] for each in findings])
        _print_sum(findings)
    if any(each.grade is Grade.FAULT for each in findings):
        raise click.exceptions.Exit(1)


def _told(finding: Finding) -> str:
    if not finding.cure:
        return finding.found
    return f"{finding.found}\n{'to do' if finding.grade is not Grade.OK else 'if you like'}: {finding.cure}"


def _print_sum(findings: list[Finding]) -> None:
    counts = {grade: sum(each.grade is grade for each in findings) for grade in (Grade.FAULT, Grade.WARNING)}
    said = ", ".join(many(count, str(grade)) for grade, count in counts.items() if count) or "all is well"
    worst = next((grade for grade, count in counts.items() if count), None)
    print_line("")
    print_line(said, bold=True, fg=_COLOURS[worst] if worst else "green")
