"""``pneumo-train predict``: what a stored model says of images, as CSV."""

import csv
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from pneumo_train.commands.command import Command
from pneumo_train.errors import ConfigError
from pneumo_train.needs import EXTRA, require, require_working_directory
from pneumo_train.options import Parser
from pneumo_train.terminal import quiet_lightning, track
from pneumo_train.words import on_one_line

if TYPE_CHECKING:
    from pneumo_train.predicting.predicting import Answer

EXIT_UNREADABLE = 1
_MOST_AT_ONCE = 4096

_EXITS = """\
exit status:
  0    every image has an answer
  1    some have none: their rows say why
  2    a mistake to mend before: an option, an image that is not there, the run, its checkpoint, the store
  130  Ctrl-C
"""


def _parser() -> Parser:
    predict = Parser(
        description="Ask the best checkpoint of a stored run about images, and write a line of CSV for each: image, "
        "probability of pneumonia, decision at the threshold that the checkpoint holds, error. Not for clinical use.",
        usage="pneumo-train predict --run RUN [--store URL] [--out FILE] [--overlays FOLDER] IMAGE [IMAGE ...]",
        epilog=_EXITS,
    )
    predict.add_argument("images", type=str, nargs="+", help="image files, folders of images, zips of images")
    predict.add_argument(
        "--run",
        type=str,
        required=True,
        help="a run of fit: its id, the beginning or the end of it, its name, or @1 for the newest",
    )
    predict.add_argument("--store", type=str | None, help="the store that holds the run; by default as of fit")
    predict.add_argument("--out", type=str | None, help="the CSV file to write; by default standard output")
    predict.add_argument("--overlays", type=str | None, help="a folder for Grad-CAM overlays, one PNG an image")
    predict.add_argument("--batch_size", type=int, default=32, help="images at a time")
    predict.add_argument("--progress", type=bool, default=True, help="show a progress bar")
    return predict


def _run(arguments: Any) -> int:
    require(EXTRA)
    require_working_directory()
    if not 1 <= arguments.batch_size <= _MOST_AT_ONCE:
        raise ConfigError(f"option --batch_size: wanted 1 to {_MOST_AT_ONCE}, found {arguments.batch_size}")
    overlays = _folder(arguments.overlays)
    from pneumo_train.predicting.images import open_images  # noqa: PLC0415 - one command's need
    from pneumo_train.stores import require_store, training_of  # noqa: PLC0415 - as above
    from runstore import open_reader  # noqa: PLC0415 - as above

    require_store(arguments.store)
    with open_images(arguments.images) as images:
        with open_reader(arguments.store) as reader:
            run_id = training_of(reader, arguments.run)
            quiet_lightning()
            from pneumo_train.predicting.predicting import predict  # noqa: PLC0415 - torch is slow to import
            from pneumo_train.predicting.stored import load_stored_model  # noqa: PLC0415 - as above

            stored = load_stored_model(reader, run_id)
        decision = stored.decision
        why = "; ".join((decision.rule_in_words, *decision.notes))
        click.echo(
            f"run {run_id}: {len(images):,} images; threshold {decision.threshold:.4f} ({on_one_line(why)}); not for clinical use",
            file=sys.stderr,
        )
        shown = arguments.progress and sys.stderr.isatty()
        answers = predict(stored, images, batch_size=arguments.batch_size, overlays=overlays)
        with _output(arguments.out) as file:
            unreadable = _write(file, track("predicting", shown=shown, on_stderr=True)(answers), overlays is not None)
    if unreadable:
        click.echo(f"{unreadable:,} of {len(images):,} images have no answer: their rows say why", file=sys.stderr)
    return EXIT_UNREADABLE if unreadable else 0


def _write(file: TextIO, answers: "Iterable[Answer]", with_overlays: bool) -> int:  # noqa: FBT001 - what was asked for
    """A line for each answer; how many have an error."""
    columns = ["image", "probability", "decision", "error", *(["overlay"] if with_overlays else [])]
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns)
    unreadable = 0
    for answer in answers:
        unreadable += bool(answer.error)
        probability = "" if answer.probability is None else f"{answer.probability:.6f}"
        row = [answer.name, probability, answer.decision, answer.error, answer.overlay]
        writer.writerow(row[: len(columns)])
    file.flush()
    return unreadable


@contextmanager
def _output(path: str | None) -> Iterator[TextIO]:
    """Standard output, or a file that is whole or not there."""
    if path is None:
        yield sys.stdout
        return
    from runstore.local.whole_files import replacing  # noqa: PLC0415 - one command's need

    target = Path(path)
    try:
        with replacing(target) as partial, partial.open("w", encoding="utf-8", newline="") as file:
            yield file
    except OSError as error:
        raise ConfigError(
            f"--out {path}: cannot be written ({error.strerror or error}); name a file that can"
        ) from error


def _folder(path: str | None) -> Path | None:
    if path is None:
        return None
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"--overlays {path}: cannot be made ({error.strerror or error}); name a folder that can"
        ) from error
    return folder


COMMAND = Command(name="predict", help="ask a stored model about images", parser=_parser, run=_run)
