"""``pneumo-train federate``: trains in rounds at several clients and keeps the record."""

import dataclasses
from pathlib import Path
from typing import Any

from pneumo_train.commands.command import Command
from pneumo_train.config.federation import FederationConfig, federation_of
from pneumo_train.config.settings import TrainConfig
from pneumo_train.federating.invitations import hosting_of
from pneumo_train.needs import EXTRA, FEDERATED, require, require_working_directory
from pneumo_train.options import Parser, add_source, config_of
from pneumo_train.terminal import quiet_lightning

_KEYS = tuple(field.name for field in dataclasses.fields(FederationConfig))

_EXITS = """\
exit status:
  0    all rounds were played (also when the store failed on the way: that is a warning)
  1    a round had too few good answers, or training has diverged; the run is kept as failed
  2    a mistake to mend before training: an option, the source, the data, the store's URL
  130  Ctrl-C; the runs are kept as interrupted
  143  SIGTERM; the runs are kept as interrupted
"""


def _parser() -> Parser:
    federate = Parser(
        description="Train in rounds at several clients, on Flower. Either the patients of one source are dealt out among clients "
        "on this machine, and the validation part is the server's; or, with --invited, clients join from other machines with "
        "films of their own, and the whole source is the server's. "
        "Options come from --config files and the command line; the last one wins.",
        usage="pneumo-train federate --source SOURCE [--store URL] [--num-clients N] [--num-rounds N] [options]",
        epilog=_EXITS,
    )
    add_source(federate)
    federate.add_argument("--store", type=str | None, help="the store's URL, as for fit; only the server has it")
    federate.add_argument("--experiment", type=str, default="pneumonia_detection", help="the experiment of the runs")
    federate.add_argument("--run_id", type=str | None, help="an existing run of a federation, or the id for a new one")
    federate.add_argument(
        "--resume",
        type=bool,
        default=False,
        help="go on with the run of --run_id from its last round in --checkpoint_dir; begin it if it has not begun",
    )
    federate.add_argument(
        "--checkpoint_dir",
        type=str,
        default="results/federated_checkpoints",
        help="where the best checkpoint and the last round go",
    )
    federate.add_argument(
        "--invited",
        type=str | None,
        help="the folder of keys that `pneumo-train invite` has made; clients join over the network",
    )
    federate.add_argument(
        "--wait_for_clients", type=float, default=600.0, help="seconds to wait for those who are invited"
    )
    federate.add_argument("--side_by_side", type=int | None, help="clients that work at once; one for each processor")
    federate.add_class_arguments(FederationConfig, None)
    federate.add_class_arguments(TrainConfig, None)
    return federate


def _run(arguments: Any) -> int:
    values = arguments.as_dict()
    course = {key: values[key] for key in _KEYS}
    if arguments.invited is not None:  # what is asked of all clients is asked of as many as are invited
        course["num_clients"] = len(hosting_of(Path(arguments.invited)).keys)
    federation = federation_of(course)
    require(EXTRA | FEDERATED)
    require_working_directory()
    from pneumo_train.federated import FederatedTrainer  # noqa: PLC0415 - slow to import
    from pneumo_train.federating.telling import print_federation  # noqa: PLC0415 - rich is slow to import
    from runstore.settings import load_settings  # noqa: PLC0415 - as above

    quiet_lightning()
    trainer = FederatedTrainer(
        checkpoint_dir=arguments.checkpoint_dir,
        store=arguments.store,
        config=config_of(arguments),
        federation=federation,
        progress=arguments.progress,
        side_by_side=arguments.side_by_side,
        invited=arguments.invited,
        wait_for_clients=arguments.wait_for_clients,
    )
    result = trainer.train(arguments.source, arguments.experiment, run_id=arguments.run_id, resume=arguments.resume)
    print_federation(result, load_settings(url=arguments.store).url)
    return 0


COMMAND = Command(name="federate", help="train in rounds at several clients", parser=_parser, run=_run)
