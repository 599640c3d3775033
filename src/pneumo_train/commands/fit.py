"""``pneumo-train fit``: trains and keeps the run."""

from typing import Any

from pneumo_train.commands.command import Command
from pneumo_train.config.settings import TrainConfig
from pneumo_train.needs import EXTRA, require, require_working_directory
from pneumo_train.options import Parser, add_source, config_of
from pneumo_train.terminal import quiet_lightning

_EXITS = """\
exit status:
  0    training is complete (also when the store failed on the way: that is a warning)
  1    training failed; the run is kept as failed, with the traceback
  2    a mistake to mend before training: an option, the source, the data, the store's URL
  130  Ctrl-C; the run is kept as interrupted
  143  SIGTERM; the run is kept as interrupted
"""


def _parser() -> Parser:
    fit = Parser(
        description="Train on a source of chest X-rays. Options come from --config files and the command line; the "
        "last one wins.",
        usage="pneumo-train fit --source SOURCE [--store URL] [options]",
        epilog=_EXITS,
    )
    add_source(fit)
    fit.add_argument(
        "--store",
        type=str | None,
        help="the store's URL, as sqlite:///runs.db, postgresql://user@host/database, mongodb://host/database; by "
        "default RUNSTORE_URL, runstore.toml or [tool.runstore] in pyproject.toml",
    )
    fit.add_argument("--experiment", type=str, default="pneumonia_detection", help="the experiment of the run")
    fit.add_argument("--run_id", type=str | None, help="an existing run to write to, or the id for a new one")
    fit.add_argument(
        "--resume",
        type=bool,
        default=False,
        help="go on with the run of --run_id from its last checkpoint in --checkpoint_dir; begin it if it has not begun",
    )
    fit.add_argument("--checkpoint_dir", type=str, default="results/checkpoints", help="where checkpoints go")
    fit.add_argument("--logs_dir", type=str, default="results/training_logs", help="where metrics files go")
    fit.add_class_arguments(TrainConfig, None)
    return fit


def _run(arguments: Any) -> int:
    require(EXTRA)
    require_working_directory()
    from pneumo_train.centralized import CentralizedTrainer  # noqa: PLC0415 - slow to import
    from runstore.settings import load_settings  # noqa: PLC0415 - as above

    quiet_lightning()
    trainer = CentralizedTrainer(
        checkpoint_dir=arguments.checkpoint_dir,
        logs_dir=arguments.logs_dir,
        store=arguments.store,
        config=config_of(arguments),
        progress=arguments.progress,
    )
    result = trainer.train(arguments.source, arguments.experiment, run_id=arguments.run_id, resume=arguments.resume)

    from pneumo_train.report import print_summary  # noqa: PLC0415 - rich is slow to import

    print_summary(result, load_settings(url=arguments.store).url)
    return 0


COMMAND = Command(name="fit", help="train and keep the run", parser=_parser, run=_run)
