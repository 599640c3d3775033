"""What a person is told of a federation, on a terminal: a line for each round, and where the record is."""

import shlex
import sys

import click
from rich.console import Console
from rich.table import Table

from pneumo_train.federating.result import FederationResult
from runstore.rounds import Round
from runstore.secrets import redact

_HEADINGS = {"val_loss": "val loss", "val_auroc": "val AUROC", "epsilon": "epsilon"}


def print_federation(result: FederationResult, store_url: str | None, *, rounds: bool = True) -> None:
    """The table of rounds, unless it was shown, and how to look at the record. Secrets in the URL are hidden."""
    if rounds:
        print_rounds(result.rounds)
    say = _to_stdout
    say(f"run: {result.run_id}")
    say(f"best: {result.monitor} {result.best_model_score:.4f} in round {result.best_round}")
    say(f"checkpoint: {result.best_model_path}")
    if store_url:
        url = shlex.quote(redact(store_url))
        say(f"look at it: runstore show {shlex.quote(result.run_id)} --store {url}")
        if not result.is_recorded:
            say("The store did not take everything: see the warnings above.")


def print_rounds(rounds: tuple[Round, ...]) -> None:
    """A line a round: who answered, the figures on the server's films, and who dropped out and why."""
    table = Table(title="rounds", title_justify="left")
    is_private = any("epsilon" in made.metrics for made in rounds)
    figures = ("val_loss", "val_auroc", *(["epsilon"] if is_private else []))
    headings = [_HEADINGS[name] for name in figures]
    for heading in ("round", "answered", "seconds", *headings, "dropped out"):
        table.add_column(heading)
    for made in rounds:
        dropped = [
            f"{each.client}: {each.status}, {each.reason}" for each in made.clients if each.status != "completed"
        ]
        table.add_row(
            str(made.number),
            f"{made.num_completed} of {len(made.clients)}",
            f"{made.duration_s or 0:.1f}",
            *(f"{made.metrics[name]:.4f}" if name in made.metrics else "" for name in figures),
            "; ".join(dropped),
        )
    Console(file=sys.stdout).print(table)


def _to_stdout(text: str) -> None:
    click.echo(text, file=sys.stdout)
