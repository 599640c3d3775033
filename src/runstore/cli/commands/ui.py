"""``runstore ui``."""

import webbrowser
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from runstore.cli.options import examples, store_option
from runstore.local.importing_the_page import importing_the_page

if TYPE_CHECKING:
    from runstore_ui import Served


@click.command("ui", epilog=examples("runstore ui --store sqlite:///runs.db", "runstore ui --write --port 9000"))
@store_option
@click.option(
    "--host", metavar="ADDRESS", default="127.0.0.1", show_default=True, help="Where to listen; others need a token."
)
@click.option(
    "--port", metavar="N", type=click.IntRange(0, 65_535), help="8420 by default, or a free one where that is taken."
)
@click.option(
    "--allow-host",
    "hosts",
    metavar="NAME",
    multiple=True,
    help="A name under which the page is reached, such as that of a proxy; may be given several times.",
)
@click.option("--write", "writes", is_flag=True, help="Let who has the token tag, note, archive and delete runs.")
@click.option("--open", "opens", is_flag=True, help="Open the page in the browser.")
def command(  # noqa: PLR0913 - an option each
    *, store: str | None, host: str, port: int | None, hosts: Sequence[str], writes: bool, opens: bool
) -> None:
    """Show the runs of a store in the browser, until Ctrl-C."""
    with importing_the_page():
        from runstore_ui import serve  # noqa: PLC0415 - needed for this command alone

    def tell(served: "Served") -> None:
        click.echo(served.address)
        click.echo("Open this address in a browser; Ctrl-C ends it.", err=True)
        if opens:
            webbrowser.open(served.address)

    try:
        serve(store, host=host, port=port, hosts=hosts, writes=writes, when_ready=tell)
    except KeyboardInterrupt:
        click.echo("", err=True)
