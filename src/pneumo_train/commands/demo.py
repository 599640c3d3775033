"""``pneumo-train demo``: draws films, trains on them and shows the stored run."""

from typing import Any

from pneumo_train.commands.command import Command
from pneumo_train.needs import EXTRA, FEDERATED, require
from pneumo_train.options import Parser


def _parser() -> Parser:
    demo = Parser(
        description="Draw chest-film phantoms, train on them and show the stored run; or train on them at three clients, one "
        "of which is killed on purpose, and show the stored rounds.",
        usage="pneumo-train demo [--out FOLDER] [--federated true]",
    )
    demo.add_argument("--federated", type=bool, default=False, help="train at three clients, on Flower")
    demo.add_argument("--out", type=str, default="demo-output", help="where everything goes")
    return demo


def _run(arguments: Any) -> int:
    require(EXTRA)
    if arguments.federated:
        require(FEDERATED)
        from pneumo_train.demo.federation import run_federated_demo  # noqa: PLC0415 - torch is slow to import

        run_federated_demo(arguments.out)
        return 0
    from pneumo_train.demo.demo import run_demo  # noqa: PLC0415 - torch is slow to import

    run_demo(arguments.out)
    return 0


COMMAND = Command(name="demo", help="train on drawn films in a few minutes", parser=_parser, run=_run)
