"""``pneumo-train cache``: what decoded films lie on disk, and their removal."""

import os
import sys
from pathlib import Path
from typing import Any

import click

from pneumo_train.commands.command import Command
from pneumo_train.config.data import CACHE_VARIABLE
from pneumo_train.errors import ConfigError
from pneumo_train.needs import require
from pneumo_train.options import Parser


def _parser() -> Parser:
    cache = Parser(
        description="Say how much the decoded films of fit, check and evaluate take on disk, or remove them. A training that "
        "wants them decodes them anew.",
        usage="pneumo-train cache [--dir FOLDER] [--clear true]",
        epilog="exit status: 0 when it is done, 2 when something must be mended before",
    )
    cache.add_argument(
        "--dir", type=str | None, help=f"the folder (data.cache_dir of the training); by default {CACHE_VARIABLE}"
    )
    cache.add_argument("--clear", type=bool, default=False, help="remove them")
    return cache


def _run(arguments: Any) -> int:
    require({"PIL", "numpy"})
    from pneumo_train.cache import CacheFolder  # noqa: PLC0415 - one command's need

    given = arguments.dir or os.environ.get(CACHE_VARIABLE)
    if not given:
        raise ConfigError(f"option --dir is missing; it names the folder of decoded films, as {CACHE_VARIABLE} does")
    folder = CacheFolder(path=Path(given).expanduser(), most_bytes=0)
    count = len(folder.files())
    try:
        size = folder.clear() if arguments.clear else sum(size for _, size in folder.files())
    except OSError as error:
        raise ConfigError(f"--dir {given}: cannot be cleared ({error.strerror or error})") from error
    removed = "removed: " if arguments.clear else ""
    click.echo(f"{folder.path}: {removed}{count:,} files, {size / 1e6:,.1f} MB", file=sys.stdout)
    return 0


COMMAND = Command(
    name="cache", help="decoded films on disk: how much they are, and away with them", parser=_parser, run=_run
)
