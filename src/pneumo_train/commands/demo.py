"""``pneumo-train demo``: draws films, trains on them and shows the stored run."""

from typing import Any

from pneumo_train.commands.command import Command
from pneumo_train.needs import EXTRA, require
from pneumo_train.options import Parser


def _parser() -> Parser:
    demo = Parser(
        description="Draw chest-film phantoms, train on them and show the stored run.",
        usage="pneumo-train demo [--out FOLDER]",
    )
    demo.add_argument("--out", type=str, default="demo-output", help="where everything goes")
    return demo


def _run(arguments: Any) -> int:
    require(EXTRA)
    from pneumo_train.demo.demo import run_demo  # noqa: PLC0415 - torch is slow to import

    run_demo(arguments.out)
    return 0


COMMAND = Command(name="demo", help="train on drawn films in a few minutes", parser=_parser, run=_run)
