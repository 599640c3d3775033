"""``pneumo-train contrary``: holds out the films that were taken as those of the other class are."""

import sys
from pathlib import Path
from typing import Any

import click

from pneumo_train.commands.command import Command
from pneumo_train.config.settings import TrainConfig
from pneumo_train.errors import ConfigError
from pneumo_train.needs import require
from pneumo_train.options import Parser, add_source, config_of
from pneumo_train.terminal import track
from pneumo_train.words import on_one_line

_SHARE = 0.2


def _parser() -> Parser:
    contrary = Parser(
        description="Say how well exposure, sharpness and borders alone tell the classes of a source apart, and write a split whose test "
        "part has the films that were taken as those of the other class are. A model that has learnt how films are taken fails "
        "there. Takes the options and files of fit; those of the data and the seed count here.",
        usage="pneumo-train contrary --source SOURCE --out FILE [--share SHARE] [options of fit]",
        epilog="exit status: 0 when the file is written, 2 when something must be mended before",
    )
    add_source(contrary)
    contrary.add_argument("--out", type=str, required=True, help="the file for the split, which data.split_file takes")
    contrary.add_argument(
        "--share", type=float, default=_SHARE, help="of the patients of each class, how many are held out"
    )
    contrary.add_class_arguments(TrainConfig, None)
    return contrary


def _run(arguments: Any) -> int:
    require({"PIL", "numpy"})
    from pneumo_train.examining.contrary import contrary_split  # noqa: PLC0415 - one command's need
    from pneumo_train.preparing.reading import read_source  # noqa: PLC0415 - as above
    from pneumo_train.splitting.split_file import write_split  # noqa: PLC0415 - as above
    from runstore.local.whole_files import write_whole  # noqa: PLC0415 - as above

    if not 0 < arguments.share <= 0.5:  # noqa: PLR2004 - more than half of a class is not the exception to it
        raise ConfigError(
            f"--share {arguments.share:g}: is of the patients of each class; give more than 0 and at most 0.5"
        )
    progress = track("reading films", shown=arguments.progress and sys.stderr.isatty(), on_stderr=True)
    with read_source(arguments.source, config_of(arguments)) as reading:
        films, _ = reading.decode_part([*reading.split.train, *reading.split.validation], track=progress)
        found = contrary_split(reading.split, films, arguments.share)
        text = write_split(reading.samples, found.split)
    try:
        write_whole(Path(arguments.out), text.encode("utf-8"))
    except OSError as error:
        raise ConfigError(
            f"--out {arguments.out}: cannot be written ({error.strerror or error}); name a file that can"
        ) from error
    click.echo(
        f"taken: exposure, sharpness and borders alone tell the classes apart with an AUROC of {found.auroc:.3f}",
        file=sys.stdout,
    )
    for name, counts in found.split.describe().items():
        numbers = ", ".join(f"{count} {what}" for what, count in counts.items())
        click.echo(f"{name}: {numbers}", file=sys.stdout)
    click.echo(f"in the test part that AUROC is {found.auroc_of_test:.3f}", file=sys.stdout)
    click.echo(on_one_line(f"split: {arguments.out}"), file=sys.stdout)
    return 0


COMMAND = Command(
    name="contrary", help="hold out the films that were taken as the other class is", parser=_parser, run=_run
)
