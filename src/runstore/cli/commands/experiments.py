"""``runstore experiments``."""

import click

from runstore.cli.finding import all_experiments
from runstore.cli.options import Form, examples, form_options, store_option
from runstore.cli.output.programs import print_csv, print_json
from runstore.cli.output.tables import Column, print_table
from runstore.cli.output.text import print_line
from runstore.opening.stores import open_reader
from runstore.texts import time_text, time_zone


@click.command("experiments", epilog=examples("runstore experiments --store sqlite:///runs.db"))
@store_option
@form_options
def command(*, store: str | None, form: Form) -> None:
    """List the experiments, by name."""
    with open_reader(store) as reader:
        experiments = list(all_experiments(reader))
    if form is Form.JSON:
        print_json(experiments)
    elif form is Form.CSV:
        print_csv(
            ["id", "name", "created_at", "description"],
            [[each.id, each.name, each.created_at, each.description] for each in experiments],
        )
    elif not experiments:
        print_line("There are no experiments yet.")
    else:
        print_table(
            [
                Column("experiment", may_be_cut=True),
                Column("id"),
                Column(f"created\n({time_zone()})", goes=2),
                Column("description", may_be_cut=True, goes=3),
            ],
            [[each.name, each.id, time_text(each.created_at), each.description or ""] for each in experiments],
        )
