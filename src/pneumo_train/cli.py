"""The command ``pneumo-train``. Asking it for help imports neither torch nor Lightning."""

import logging
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import click

from pneumo_train.errors import DivergedError, FederationError, PneumoTrainError
from pneumo_train.needs import EXTRA, FEDERATED
from pneumo_train.words import on_one_line
from runstore.errors import RunStoreError
from runstore.local.exits import ENDINGS
from runstore.local.terminal import lasting_output
from runstore.secrets import redact

EXIT_FAILED = 1
EXIT_MISTAKE = 2
EXIT_CTRL_C = 128 + signal.SIGINT
EXIT_SIGTERM = 128 + signal.SIGTERM


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit status."""
    with lasting_output() as output:
        status = _run(argv)
        sys.stdout.flush()
        if output.trouble is not None:
            _complain(f"what was printed is not complete: {output.trouble.strerror}")
    return status


def _run(argv: Sequence[str] | None) -> int:
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    try:
        from pneumo_train.commands import COMMANDS, build_parser  # noqa: PLC0415 - what it needs may not be installed

        arguments = build_parser().parse_args(argv)
        run = {command.name: command.run for command in COMMANDS}[arguments.subcommand]
        with _sigterm_as_exit():
            return run(arguments[arguments.subcommand])
    except DivergedError as error:
        _complain(f"{error}; a run that is stored is kept as failed")
        return EXIT_FAILED
    except FederationError as error:
        _complain(redact(str(error)))
        return EXIT_FAILED
    except (PneumoTrainError, RunStoreError) as error:
        _complain(redact(str(error)))
        return EXIT_MISTAKE
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in EXTRA | FEDERATED:
            raise
        what = "pneumo-train" if missing in EXTRA else "'pneumo-train[federated]'"
        _complain(f"needs {error.name}; install it by: pip install {what}")
        return EXIT_MISTAKE
    except KeyboardInterrupt:
        _complain("stopped by Ctrl-C")
        return EXIT_CTRL_C


def _complain(text: str) -> None:
    """One line on standard error, whatever characters are in the names that it tells of."""
    click.secho(f"pneumo-train: {on_one_line(text)}", file=sys.stderr, bold=True, fg="red")


@contextmanager
def _sigterm_as_exit() -> Iterator[None]:
    """Makes SIGTERM, and Ctrl-Break of Windows, an orderly exit: the run is ended as interrupted wherever training stands."""

    def leave(_signal: int, _frame: object) -> None:
        sys.exit(EXIT_SIGTERM)

    before = {ending: signal.signal(ending, leave) for ending in ENDINGS}
    try:
        yield
    finally:
        for ending, handler in before.items():
            signal.signal(ending, handler)


if __name__ == "__main__":
    sys.exit(main())
