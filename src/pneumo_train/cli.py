"""The command ``pneumo-train``. Asking it for help imports neither torch nor Lightning."""

import logging
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click

from pneumo_train.config import SECTIONS, DataConfig, from_dict
from pneumo_train.errors import DivergedError, PneumoTrainError
from runstore.errors import ConflictError, InvalidValueError, NotFoundError, PluginError, SchemaError, SettingsError
from runstore.secrets import redact

EXIT_FAILED = 1
EXIT_MISTAKE = 2
EXIT_CTRL_C = 128 + signal.SIGINT
EXIT_SIGTERM = 128 + signal.SIGTERM

_MISTAKES = (
    PneumoTrainError, InvalidValueError, ConflictError, NotFoundError, PluginError, SchemaError, SettingsError,
)  # fmt: skip

_EXTRA = frozenset(
    {
        "PIL",
        "jsonargparse",
        "matplotlib",
        "numpy",
        "pytorch_lightning",
        "rich",
        "torch",
        "torchmetrics",
        "torchvision",
        "yaml",
    }
)
"""What the extra ``train`` brings; the command itself is installed without it, too."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit status."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    try:
        from pneumo_train.options import build_parser  # noqa: PLC0415 - it may not be installed

        arguments = build_parser().parse_args(argv)
        with _sigterm_as_exit():
            commands = {"fit": _fit, "check": _check, "demo": _demo}
            return commands[arguments.subcommand](arguments[arguments.subcommand])
    except DivergedError as error:
        click.secho(f"pneumo-train: {error}; the run is kept as failed", err=True, bold=True, fg="red")
        return EXIT_FAILED
    except _MISTAKES as error:
        click.secho(f"pneumo-train: {redact(str(error))}", err=True, bold=True, fg="red")
        return EXIT_MISTAKE
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _EXTRA:
            raise
        click.echo(f'pneumo-train: needs {error.name}; install it by: pip install "runstore[train]"', err=True)
        return EXIT_MISTAKE
    except KeyboardInterrupt:
        click.echo("pneumo-train: stopped by Ctrl-C", err=True)
        return EXIT_CTRL_C


def _fit(arguments: Any) -> int:
    values = arguments.as_dict()
    config = from_dict({key: values[key] for key in ("seed", *SECTIONS)})

    from rich.console import Console  # noqa: PLC0415 - it may not be installed

    from pneumo_train.centralized import CentralizedTrainer  # noqa: PLC0415 - torch is slow to import
    from pneumo_train.report import print_summary  # noqa: PLC0415 - as above
    from runstore.settings import load_settings  # noqa: PLC0415 - as above

    quiet_lightning()
    trainer = CentralizedTrainer(
        checkpoint_dir=arguments.checkpoint_dir,
        logs_dir=arguments.logs_dir,
        store=arguments.store,
        config=config,
        progress=arguments.progress,
    )
    result = trainer.train(arguments.source, arguments.experiment, csv_filename=arguments.csv, run_id=arguments.run_id)
    print_summary(result, arguments.store or load_settings().url, console=Console())
    return 0


def _check(arguments: Any) -> int:
    from pneumo_train.source import validate_source  # noqa: PLC0415 - one command's need

    report = validate_source(arguments.source, DataConfig(csv_filename=arguments.csv))
    for key, value in report.items():
        click.echo(f"{key}: {', '.join(value) if isinstance(value, list) else value}")
    return 0 if report["valid"] else EXIT_MISTAKE


def _demo(arguments: Any) -> int:
    from pneumo_train.demo import run_demo  # noqa: PLC0415 - torch is slow to import

    run_demo(arguments.out)
    return 0


def quiet_lightning() -> None:
    """Lightning's notes about devices and its advertisements are not shown; its warnings are."""
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)


@contextmanager
def _sigterm_as_exit() -> Iterator[None]:
    """Makes SIGTERM an orderly exit, so that the run is ended as interrupted wherever training stands."""

    def leave(_signal: int, _frame: object) -> None:
        sys.exit(EXIT_SIGTERM)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


if __name__ == "__main__":
    sys.exit(main())
