"""``pneumo-train compare-federation``: a federation beside one model of all films and one of each site alone."""

import dataclasses
from pathlib import Path
from typing import Any

import click

from pneumo_train.commands.command import Command
from pneumo_train.commands.files import require_folder, write_text
from pneumo_train.config.federation import FederationConfig, federation_of
from pneumo_train.config.settings import TrainConfig
from pneumo_train.errors import ConfigError
from pneumo_train.needs import EXTRA, FEDERATED, require, require_working_directory
from pneumo_train.options import Parser, add_source, config_of
from pneumo_train.terminal import quiet_lightning
from pneumo_train.words import on_one_line

_KEYS = tuple(field.name for field in dataclasses.fields(FederationConfig))
_MOST = 2**32 - 1

_EXITS = """\
exit status:
  0    every row is complete
  1    some rows diverged, or their federation had too few answers; all others are complete
  2    a mistake to mend before: an option, the source, the data, the store's URL
  130  Ctrl-C; what is complete is kept, and the same command goes on
  143  SIGTERM; likewise
"""


def _parser() -> Parser:
    compare = Parser(
        description="Train a federation, one model of the films of all its clients, and one of each client's own, with every seed "
        "and equally many epochs (num_rounds times local_epochs, without early stopping); measure all of them on the test part, which none has seen. "
        "Each is kept as a run of one experiment, below the comparison's. What the store holds already is not trained again: stop the "
        "command whenever you like, and the same command goes on. Without --source nothing is trained, and the table is that of what "
        "the store holds.",
        usage="pneumo-train compare-federation [--source SOURCE] [--store URL] [--seeds 1,2,3] [--export FILE] [options of federate]",
        epilog=_EXITS,
    )
    add_source(compare, is_required=False)
    compare.add_argument("--store", type=str | None, help="the store that holds the comparison; by default as of fit")
    compare.add_argument("--experiment", type=str, default="pneumonia_detection", help="the experiment of its runs")
    compare.add_argument("--name", type=str, default="comparison", help="what the comparison's run is called")
    compare.add_argument(
        "--seeds", type=str | None, help="whole numbers with commas; each row is trained once with each, by default with --seed, which "
        "also draws the test and the validation part",
    )  # fmt: skip
    compare.add_argument(
        "--export", type=str | None, help="a file for the table: JSON or, where its name ends in .md, Markdown"
    )
    compare.add_argument(
        "--checkpoint_dir", type=str, default="results/comparison_checkpoints",
        help="where checkpoints lie while a row is trained, and the split of each",
    )  # fmt: skip
    compare.add_argument("--logs_dir", type=str, default="results/training_logs", help="where metrics files go")
    compare.add_argument("--side_by_side", type=int | None, help="clients that work at once; one for each processor")
    compare.add_class_arguments(FederationConfig, None)
    compare.add_class_arguments(TrainConfig, None)
    return compare


def _run(arguments: Any) -> int:
    from pneumo_train.stores import require_store  # noqa: PLC0415 - one command's need
    from runstore import open_reader  # noqa: PLC0415 - as above

    values = arguments.as_dict()
    federation, config = federation_of({key: values[key] for key in _KEYS}), config_of(arguments)
    seeds = [config.seed] if arguments.seeds is None else _seeds_of(arguments.seeds)
    if arguments.export is not None:
        require_folder(Path(arguments.export))
    require_store(arguments.store)
    failed = () if arguments.source is None else _train(arguments, config, federation, seeds)

    from pneumo_train.comparing.kept import find_comparison  # noqa: PLC0415 - numpy is slow to import
    from pneumo_train.comparing.table import comparison_table  # noqa: PLC0415 - as above
    from pneumo_train.comparing.telling import as_json, as_markdown  # noqa: PLC0415 - as above

    with open_reader(arguments.store) as reader:
        kept = find_comparison(reader, arguments.experiment, arguments.name)
        if kept is None:
            raise ConfigError(
                f"--name {arguments.name}: the experiment {arguments.experiment!r} of this store holds no such comparison; give --source to "
                "train it, or the --experiment and the --name of another"
            )
        table = comparison_table(reader, arguments.name, kept)
    if arguments.export is None:
        click.echo(as_markdown(table), nl=False)
    else:
        write_text(Path(arguments.export), as_markdown(table) if arguments.export.endswith(".md") else as_json(table))
    return 1 if failed else 0


def _train(arguments: Any, config: TrainConfig, federation: FederationConfig, seeds: list[int]) -> tuple[str, ...]:
    require(EXTRA | FEDERATED)
    require_working_directory()
    quiet_lightning()
    from pneumo_train.comparing.leading import Comparison  # noqa: PLC0415 - torch is slow to import
    from runstore import open_store  # noqa: PLC0415 - as above

    with open_store(arguments.store) as store:
        return Comparison(
            store=store,
            name=arguments.name,
            experiment=arguments.experiment,
            source_path=arguments.source,
            config=config,
            federation=federation,
            seeds=seeds,
            checkpoint_dir=Path(arguments.checkpoint_dir),
            logs_dir=Path(arguments.logs_dir),
            tell=lambda line: click.echo(on_one_line(line), err=True),
            progress=arguments.progress,
            side_by_side=arguments.side_by_side,
        ).run()


def _seeds_of(text: str) -> list[int]:
    """The seeds of an option.

    Raises:
        ConfigError: one is none, or is there twice.
    """
    parts = [part.strip() for part in text.split(",")]
    seeds = [int(part) for part in parts if part.isascii() and part.isdigit() and int(part) <= _MOST]
    if len(seeds) < len(parts) or len(set(seeds)) < len(seeds):
        raise ConfigError(
            f"option --seeds: wanted whole numbers from 0 to {_MOST:,} with commas between them, each once, as 1,2,3; found {text!r}"
        )
    return seeds


COMMAND = Command(
    name="compare-federation",
    help="train a federation, its sites alone and all films together, and make the table",
    parser=_parser,
    run=_run,
)
