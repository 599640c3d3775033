"""``pneumo-train evaluate``: a stored run on any source, at its own threshold, kept as a child run."""

import dataclasses
import sys
from typing import Any

import click

from pneumo_train.commands.command import Command
from pneumo_train.config.settings import SECTIONS
from pneumo_train.errors import ConfigError
from pneumo_train.needs import EXTRA, require, require_working_directory
from pneumo_train.options import Parser, meanings_of
from pneumo_train.terminal import quiet_lightning, track
from pneumo_train.words import on_one_line

_EXITS = """\
exit status:
  0    the evaluation is kept
  2    a mistake to mend: an option, the source, the run, its checkpoint, the store's URL
  130  Ctrl-C
"""

_OVERRIDABLE = ("data", "evaluation")
_DECIDED = frozenset(
    {
        "image_size",
        "threshold_rule",
        "target_sensitivity",
        "fixed_threshold",
        "temperature_scaling",
        "calibration_shift",
    }
)
"""What training has decided, and no evaluation changes."""

_NONE = "null"
"""Takes back what the training had, as YAML says it."""


def _parser() -> Parser:
    evaluate = Parser(
        description="Evaluate the best checkpoint of a stored run on any source, at the threshold and the temperature that "
        "the checkpoint holds, and keep that as a run of its own, a child of the one that was trained. What is not "
        "given is as it was in training; of the source only the names of the columns and the second CSV are.",
        usage="pneumo-train evaluate RUN --source SOURCE [--store URL] [options]",
        epilog=_EXITS,
    )
    evaluate.add_argument(
        "run", type=str, help="a run of fit: its id, the beginning or the end of it, its name, or @1 for the newest"
    )
    evaluate.add_argument("--source", type=str, required=True, help="a directory or zip with a metadata CSV and images")
    evaluate.add_argument("--csv", type=str | None, help="the metadata CSV inside the source (data.csv_filename)")
    evaluate.add_argument("--store", type=str | None, help="the store that holds the run; by default as of fit")
    evaluate.add_argument(
        "--part",
        type=str,
        default="all",
        help="all images, or one part of the split that the training made of this same source: train, validation, test",
    )
    evaluate.add_argument(
        "--name", type=str | None, help="what the set is called, as kermany-test; by default the part"
    )
    evaluate.add_argument(
        "--against", type=str | None, help="another run on the same images: DeLong's test of the AUROC"
    )
    evaluate.add_argument("--progress", type=bool, default=True, help="show progress bars")
    for section in _OVERRIDABLE:
        for key, meaning in meanings_of(SECTIONS[section]).items():
            if key not in _DECIDED:
                evaluate.add_argument(f"--{section}.{key}", type=str, help=meaning)
    return evaluate


def _run(arguments: Any) -> int:
    require(EXTRA)
    require_working_directory()
    if arguments.part not in {"all", "train", "validation", "test"}:
        raise ConfigError(f"option --part: wanted one of all, train, validation, test, found {arguments.part!r}")
    from pneumo_train.stores import store_or_opener  # noqa: PLC0415 - one command's need

    if store_or_opener(arguments.store) is None:
        raise ConfigError(
            "option --store is missing; it names the store that holds the run, as --store sqlite:///runs.db"
        )
    from pneumo_train.examining.leading import evaluate_run  # noqa: PLC0415 - torch is slow to import
    from pneumo_train.report import print_evaluation  # noqa: PLC0415 - as above
    from runstore import open_reader, open_store  # noqa: PLC0415 - as above

    quiet_lightning()
    overrides = {
        f"{section}.{field.name}": None if value == _NONE else value
        for section in _OVERRIDABLE
        for field in dataclasses.fields(SECTIONS[section])
        if (value := arguments.as_dict()[section].get(field.name)) is not None
    }
    if arguments.csv:
        overrides["data.csv_filename"] = arguments.csv
    open_reader(arguments.store).close()  # which makes no new store where none is
    with open_store(arguments.store) as store:
        kept = evaluate_run(
            store,
            arguments.run,
            arguments.source,
            part=arguments.part,
            name=arguments.name,
            overrides=overrides,
            against=arguments.against,
            track=track("reading films", shown=arguments.progress and sys.stderr.isatty(), on_stderr=True),
        )
    for note in kept.notes:
        click.echo(f"warning: {on_one_line(note)}", file=sys.stderr)
    print_evaluation(kept.evaluation, run_id=kept.run_id, comparison=kept.comparison)
    return 0


COMMAND = Command(name="evaluate", help="evaluate a stored run on any films", parser=_parser, run=_run)
