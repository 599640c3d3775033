"""The options of ``pneumo-train``, made from the configuration's own types and docstrings."""

import argparse
import re
import sys
from typing import Any, NoReturn

import click
from jsonargparse import ActionConfigFile, ArgumentParser, DefaultHelpFormatter  # type: ignore[attr-defined]  # its lazy names

from pneumo_train.config.settings import SECTIONS, TrainConfig, check_keys, read_yaml
from pneumo_train.config.wanted import wanted
from pneumo_train.errors import ConfigError
from pneumo_train.words import on_one_line
from runstore.secrets import redact

EXIT_MISTAKE = 2

_EXITS = """\
exit status:
  0    training is complete (also when the store failed on the way: that is a warning)
  1    training failed; the run is kept as failed, with the traceback
  2    a mistake to mend before training: an option, the source, the data, the store's URL
  130  Ctrl-C; the run is kept as interrupted
  143  SIGTERM; the run is kept as interrupted
"""


def build_parser() -> ArgumentParser:
    """The parser, its options made from the configuration's own types and docstrings."""
    parser = _Parser(
        prog="pneumo-train",
        description="Train a chest X-ray pneumonia classifier and keep the run in your own database.",
        formatter_class=_HelpFormatter,  # the commands take it from here
    )
    commands = parser.add_subcommands(required=True)

    fit = _Parser(
        description="Train on a source of chest X-rays. Options come from --config files and the command line; the "
        "last one wins.",
        usage="pneumo-train fit --source SOURCE [--store URL] [--config FILE] [options]",
        epilog=_EXITS,
    )
    _add_source(fit)
    fit.add_argument(
        "--store",
        type=str | None,
        help="the store's URL, as sqlite:///runs.db, postgresql://user@host/database, mongodb://host/database; by "
        "default RUNSTORE_URL, runstore.toml or [tool.runstore] in pyproject.toml",
    )
    fit.add_argument("--experiment", type=str, default="pneumonia_detection", help="the experiment of the run")
    fit.add_argument("--run_id", type=str | None, help="an existing run to write to, or the id for a new one")
    fit.add_argument("--checkpoint_dir", type=str, default="results/checkpoints", help="where checkpoints go")
    fit.add_argument("--logs_dir", type=str, default="results/training_logs", help="where metrics files go")
    fit.add_class_arguments(TrainConfig, None)
    commands.add_subcommand("fit", fit, help="train and keep the run")

    check = _Parser(
        description="Say what a source holds and whether fit would train on it, without training: every image is "
        "decoded. Takes the options and files of fit; those of the data and the seed count here.",
        usage="pneumo-train check --source SOURCE [--config FILE] [--csv FILE] [--data.… options as for fit]",
        epilog="exit status: 0 when it can be trained on, 2 when something must be mended before",
    )
    _add_source(check)
    for option in ("store", "experiment", "run_id", "checkpoint_dir", "logs_dir"):
        check.add_argument(f"--{option}", type=str | None, help=argparse.SUPPRESS)
    check.add_class_arguments(TrainConfig, None)
    commands.add_subcommand("check", check, help="look at a source")

    demo = _Parser(description="Draw chest-film phantoms, train on them and show the stored run.")
    demo.add_argument("--out", type=str, default="demo-output", help="where everything goes")
    commands.add_subcommand("demo", demo, help="train on drawn films in a few minutes")
    return parser


def _add_source(command: ArgumentParser) -> None:
    """The options that say what is read."""
    command.add_argument(
        "--config", action=_ConfigFile, help="a YAML file of any of these options, as --print_config writes it"
    )
    command.add_argument("--source", type=str, required=True, help="a directory or zip with a metadata CSV and images")
    command.add_argument("--csv", type=str | None, help="the metadata CSV inside the source (data.csv_filename)")
    command.add_argument("--progress", type=bool, default=True, help="show progress bars")


class _Parser(ArgumentParser):
    """As jsonargparse's, but an unknown option is answered with the nearest known one."""

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:  # noqa: ARG002 - jsonargparse's signature
        """Prints the message in one line, and leaves with status 2."""
        click.secho(
            f"pneumo-train: {on_one_line(redact(_in_our_words(message)))}; for all options: {self.prog.replace('[options] ', '')} --help",
            file=sys.stderr,
            bold=True,
            fg="red",
        )
        sys.exit(EXIT_MISTAKE)


def _in_our_words(message: str) -> str:
    """What jsonargparse says, without its Python."""
    if unknown := re.search(r"unrecognized arguments: --([\w.-]+)", message):
        try:
            check_keys({unknown[1].replace("-", "_"): None}, origin="options")
        except ConfigError as error:
            return str(error)
    if bare := re.search(r"unrecognized arguments: ([^-\s]\S*)", message):
        return f"{bare[1]!r} stands behind no option; the images are named with --source, as in --source {bare[1]}"
    if wrong := re.search(r'key "([\w.]+)".*(?:Got|Given) value: (.*)', message, re.DOTALL):
        key, value = wrong[1], wrong[2].splitlines()[0].strip()
        return f"option --{key}: wanted {'true or false' if key == 'progress' else wanted(TrainConfig, key)}, found {value!r}"
    if missing := re.search(r"required: (?:\w+\.)?(\w+)", message):
        example = "; it names the folder or the zip of the images, as in --source films/"
        return f"option --{missing[1]} is missing{example if missing[1] == 'source' else ''}"
    return " ".join(message.split())


class _HelpFormatter(DefaultHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Keeps the lines of the epilog, and says what a key of the configuration may hold as its errors do."""

    def _get_type_str(self, action: argparse.Action) -> str | None:
        section, dot, _ = action.dest.partition(".")
        if section == "seed" or (dot and section in SECTIONS):
            return wanted(TrainConfig, action.dest)
        return super()._get_type_str(action)


class _ConfigFile(ActionConfigFile):
    """As jsonargparse's, but an unknown key is answered with the nearest known one."""

    def __call__(self, parser: Any, cfg: Any, values: Any, option_string: str | None = None) -> None:
        try:
            read_yaml(values)
        except ConfigError as error:
            raise argparse.ArgumentError(None, str(error)) from error
        super().__call__(parser, cfg, values, option_string)  # type: ignore[no-untyped-call]
