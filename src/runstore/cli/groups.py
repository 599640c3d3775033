"""Commands that have commands of their own: their list is cut nowhere, and a wrong one is answered with those that there are."""

from typing import Any

import click


class Subcommands(click.Group):
    """A group such as ``runstore artifacts``."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - the library's
        """Writes each with the first paragraph of its help, whole."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, _first_paragraph(each)) for name, each in sorted(self.commands.items())])

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[Any, Any, list[str]]:
        """The command that is called; a wrong name is answered with those that there are."""
        if args[0] not in self.commands and not args[0].startswith("-"):
            from runstore.cli.advice import example_of  # noqa: PLC0415 - a mistake's need alone

            first = next(iter(self.commands.values()))
            there_are = " and ".join(self.commands)
            raise click.UsageError(
                f"No such command {args[0]!r}; there are {there_are}; as in: {example_of(first)}", ctx
            )
        return super().resolve_command(ctx, args)


def _first_paragraph(command: click.Command) -> str:
    paragraph = (command.help or "").partition("\n\n")[0]
    return " ".join(paragraph.split())
