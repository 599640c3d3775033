"""The command ``pneumo-train``. Asking it for help imports neither torch nor Lightning."""

import logging
import signal
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from pneumo_train.config.settings import SECTIONS, TrainConfig, from_dict, load_config
from pneumo_train.errors import ConfigError, DivergedError, PneumoTrainError
from pneumo_train.terminal import quiet_lightning, track
from pneumo_train.words import on_one_line
from runstore.errors import RunStoreError
from runstore.local.exits import ENDINGS
from runstore.local.terminal import lasting_output
from runstore.secrets import redact

EXIT_FAILED = 1
EXIT_MISTAKE = 2
EXIT_CTRL_C = 128 + signal.SIGINT
EXIT_SIGTERM = 128 + signal.SIGTERM


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
"""What the distribution ``pneumo-train`` brings; in a checkout the module is there without it, too."""


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
        from pneumo_train.options import build_parser  # noqa: PLC0415 - it may not be installed

        arguments = build_parser().parse_args(argv)
        with _sigterm_as_exit():
            commands = {"fit": _fit, "check": _check, "demo": _demo}
            return commands[arguments.subcommand](arguments[arguments.subcommand])
    except DivergedError as error:
        _complain(f"{error}; a run that is stored is kept as failed")
        return EXIT_FAILED
    except (PneumoTrainError, RunStoreError) as error:
        _complain(redact(str(error)))
        return EXIT_MISTAKE
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _EXTRA:
            raise
        _complain(f"needs {error.name}; install it by: pip install pneumo-train")
        return EXIT_MISTAKE
    except KeyboardInterrupt:
        _complain("stopped by Ctrl-C")
        return EXIT_CTRL_C


def _complain(text: str) -> None:
    """One line on standard error, whatever characters are in the names that it tells of."""
    click.secho(f"pneumo-train: {on_one_line(text)}", file=sys.stderr, bold=True, fg="red")


def _require(modules: Iterable[str]) -> None:
    """Refuses a command whose packages are not all installed, before it has done half of its work."""
    for module in sorted(modules):
        if find_spec(module) is None:
            raise ModuleNotFoundError(f"No module named {module!r}", name=module)


def _require_working_directory() -> None:
    try:
        Path.cwd()
    except OSError as error:
        raise ConfigError(
            f"the working directory is gone or cannot be entered ({error.strerror}); change to another"
        ) from error


def _fit(arguments: Any) -> int:
    _require(_EXTRA)
    _require_working_directory()
    from pneumo_train.centralized import CentralizedTrainer  # noqa: PLC0415 - slow to import
    from runstore.settings import load_settings  # noqa: PLC0415 - as above

    quiet_lightning()
    trainer = CentralizedTrainer(
        checkpoint_dir=arguments.checkpoint_dir,
        logs_dir=arguments.logs_dir,
        store=arguments.store,
        config=_config_of(arguments),
        progress=arguments.progress,
    )
    result = trainer.train(arguments.source, arguments.experiment, run_id=arguments.run_id)

    from pneumo_train.report import print_summary  # noqa: PLC0415 - rich is slow to import

    print_summary(result, load_settings(url=arguments.store).url)
    return 0


def _check(arguments: Any) -> int:
    _require({"PIL", "numpy"})
    from pneumo_train.preparing.reading import check_source  # noqa: PLC0415 - one command's need

    progress = track("reading films", shown=arguments.progress and sys.stderr.isatty(), on_stderr=True)
    report = check_source(arguments.source, _config_of(arguments), track=progress)
    for key, value in report.items():
        if key == "notes":
            for note in value:
                click.echo(f"warning: {on_one_line(note)}", file=sys.stdout)
        else:
            click.echo(f"{key}: {on_one_line(_spelled(value))}", file=sys.stdout)
    return 0 if report["valid"] else EXIT_MISTAKE


def _config_of(arguments: Any) -> TrainConfig:
    """The configuration of a command's options; ``--csv`` is short for one of them."""
    values = arguments.as_dict()
    config = from_dict({key: values[key] for key in ("seed", *SECTIONS)})
    return load_config(overrides={"data.csv_filename": arguments.csv}, base=config) if arguments.csv else config


def _spelled(value: Any) -> str:
    """A value of a report on one line: lists by commas, the numbers of a part of the split in words."""
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, dict):
        return "; ".join(
            f"{part} {', '.join(f'{count} {name}' for name, count in counts.items())}"
            if isinstance(counts, dict)
            else f"{part.replace('_', ' ')} {counts}"
            for part, counts in value.items()
        )
    return str(value)


def _demo(arguments: Any) -> int:
    _require(_EXTRA)
    from pneumo_train.demo.demo import run_demo  # noqa: PLC0415 - torch is slow to import

    run_demo(arguments.out)
    return 0


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
