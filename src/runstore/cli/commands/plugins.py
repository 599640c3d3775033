"""``runstore plugins``: the databases that this machine can open."""

from typing import Any

import click

from runstore.cli.options import Form, examples, form_options
from runstore.cli.output.programs import print_csv, print_json
from runstore.cli.output.tables import Column, print_table
from runstore.cli.output.text import print_line
from runstore.plugins.registry import find_backends


@click.command("plugins", epilog=examples("runstore plugins"))
@form_options
def command(*, form: Form) -> None:
    """List the databases that runs can be kept in, and what is missing for each."""
    catalog = find_backends()
    rows: list[dict[str, Any]] = [
        {
            "name": found.backend.name,
            "schemes": list(found.backend.schemes),
            "plugin": found.plugin,
            "state": f"needs {found.needs}" if found.missing else "ready",
        }
        for found in catalog.backends
    ]
    broken = {name: f"{type(error).__name__}: {error}" for name, error in catalog.broken.items()}
    if form is Form.JSON:
        print_json({"backends": rows, "broken": broken})
        return
    if form is Form.CSV:
        print_csv(
            ["name", "schemes", "plugin", "state"],
            [[row["name"], " ".join(row["schemes"]), row["plugin"], row["state"]] for row in rows],
        )
        return
    print_table(
        [Column("backend"), Column("schemes"), Column("plugin", goes=2), Column("state")],
        [[row["name"], ", ".join(row["schemes"]), row["plugin"], row["state"]] for row in rows],
    )
    for name, error in broken.items():
        print_line(f"The plugin {name} failed to load: {error}", fg="red")
