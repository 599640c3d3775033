"""What the options of every command have in common; those of the configuration are made from the configuration's own types and docstrings."""

import argparse
import difflib
import inspect
import re
import sys
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import click
from jsonargparse import ActionConfigFile, ArgumentParser, DefaultHelpFormatter  # type: ignore[attr-defined]  # its lazy names

from pneumo_train.config.federation import FederationConfig
from pneumo_train.config.monitored import require_logged
from pneumo_train.config.recipes import file_of, names
from pneumo_train.config.settings import SECTIONS, TrainConfig, check_keys, from_dict, load_config, read_yaml
from pneumo_train.config.wanted import wanted
from pneumo_train.errors import ConfigError
from pneumo_train.words import on_one_line
from runstore.secrets import redact

EXIT_MISTAKE = 2

_TYPES = {
    "str": "a text",
    "str | null": "a text, or null",
    "int": "a whole number",
    "int | null": "a whole number, or null",
}
"""Python's names in the words of the errors."""

_HINTS: dict[Any, str] = {
    bool: "true or false",
    float: "a number",
    int: "a whole number",
    int | None: "a whole number, or null",
}
"""What an option that is no key of the configuration may hold, by its type; any other holds a text."""


def add_source(command: ArgumentParser, *, is_required: bool = True) -> None:
    """The options that say what is read."""
    command.add_argument(
        "--config",
        action=_ConfigFile,
        help="a YAML file of any of these options, as --print_config writes it, or a recipe: " + ", ".join(names()),
    )
    of_source: dict[str, Any] = {"type": str, "required": True} if is_required else {"type": str | None}
    command.add_argument("--source", **of_source, help="a directory or zip with a metadata CSV and images")
    command.add_argument("--csv", type=str | None, help="the metadata CSV inside the source (data.csv_filename)")
    command.add_argument("--progress", type=bool, default=True, help="show progress bars")


def meanings_of(kind: type) -> dict[str, str]:
    """What the docstring of a section of the configuration says of each key, on one line each."""
    said = (inspect.getdoc(kind) or "").partition("Attributes:\n")[2]
    return dict(re.findall(r"^ {4}(\w+): (.*)$", re.sub(r"\n {8,}", " ", said), re.MULTILINE))


def config_of(arguments: Any) -> TrainConfig:
    """The configuration of a command's options; ``--csv`` is short for one of them.

    Raises:
        ConfigError: a value is of the wrong type or out of range, or nothing logs the monitored metric.
    """
    values = arguments.as_dict()
    config = from_dict({key: values[key] for key in ("seed", *SECTIONS)})
    require_logged(config.training.monitor)
    return load_config(overrides={"data.csv_filename": arguments.csv}, base=config) if arguments.csv else config


class Parser(ArgumentParser):
    """As jsonargparse's, but an unknown option is answered with the nearest known one, and ``--num-rounds`` is ``--num_rounds``."""

    def parse_args(self, args: Sequence[str] | None = None, *others: Any, **keywords: Any) -> Any:  # type: ignore[override]  # as jsonargparse does
        """Parses the words of a command line. No option has a dash in its name: each may be written with dashes."""
        words = sys.argv[1:] if args is None else args
        return super().parse_args([_with_lines(word) for word in words], *others, **keywords)

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:  # noqa: ARG002 - jsonargparse's signature
        """Prints the message in one line, and leaves with status 2."""
        commands = [name for action in self._actions if action.dest == "subcommand" for name in action.choices or ()]
        told = _of_commands(message, commands) or _in_our_words(
            message, {action.dest: getattr(action, "_typehint", None) for action in self._actions}
        )
        click.secho(
            f"pneumo-train: {on_one_line(redact(told))}; for all options: {self.prog.replace('[options] ', '')} --help",
            file=sys.stderr,
            bold=True,
            fg="red",
        )
        sys.exit(EXIT_MISTAKE)


def _with_lines(word: str) -> str:
    name, equals, value = word.partition("=")
    return f"--{name[2:].replace('-', '_')}{equals}{value}" if name.startswith("--") else word


def _of_commands(message: str, commands: list[str]) -> str | None:
    """What jsonargparse says of a command that is missing or unknown, with all that there are."""
    if not commands:
        return None
    if unknown := re.search(r"argument subcommand: invalid choice: '(.*?)'", message):
        close = difflib.get_close_matches(unknown[1], commands, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"wanted one of {', '.join(commands)}"
        return f"there is no command {unknown[1]!r}; {hint}"
    return f"a command is missing; it is one of {', '.join(commands)}" if 'expected "subcommand"' in message else None


def _in_our_words(message: str, own: Mapping[str, Any]) -> str:  # noqa: PLR0911 - one for each kind
    """What jsonargparse says, without its Python.

    Args:
        message: what it says.
        own: the options that the command has, each with its type.
    """
    if unknown := re.search(r"unrecognized arguments: --([\w.-]+)", message):
        if unknown[1] == "run" and "run" in own:
            return "the run stands before all options and without --run, as @1 for the newest one"
        try:
            check_keys({unknown[1].replace("-", "_"): None}, origin="options", also=own)
        except ConfigError as error:
            return str(error)
    if bare := re.search(r"unrecognized arguments: ([^-\s]\S*)", message):
        return f"{bare[1]!r} stands behind no option; the images are named with --source, as in --source {bare[1]}"
    if wrong := re.search(r'key "([\w.]+)".*(?:Got|Given) value: (.*)', message, re.DOTALL):
        key, value = wrong[1], wrong[2].splitlines()[0].strip()
        return f"option --{key}: wanted {_wanted(key, own.get(key))}, found {value!r}"
    if missing := re.search(r"required: (?:\w+\.)?(\w+)", message):
        example = "; it names the folder or the zip of the images, as in --source films/"
        if missing[1] == "run":
            return "the run is missing; its id stands before all options, as `runstore runs` lists it"
        return f"option --{missing[1]} is missing{example if missing[1] == 'source' else ''}"
    if bare := re.fullmatch(r"argument --([\w.]+): expected (?:one|at least one) argument", message.strip()):
        return f"option --{bare[1]}: a value is missing behind it"
    return " ".join(message.split())


def _wanted(key: str, hint: Any) -> str:
    if (kind := _kind_of(key)) is not None:
        return wanted(kind, key)
    return _HINTS.get(hint, "a text")


def _kind_of(key: str) -> type | None:
    """Whose key it is, if it is one of a configuration."""
    if key.partition(".")[0] in SECTIONS or key == "seed":
        return TrainConfig
    return FederationConfig if key in FederationConfig.__dataclass_fields__ else None


class HelpFormatter(DefaultHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Breaks all lines at the width of the terminal, and says what a key of the configuration may hold as its errors do."""

    def add_usage(self, usage: str | None, *rest: Any, **more: Any) -> None:
        """The first line, which argparse breaks only where it has made it."""
        if usage:
            usage = _broken(usage, self._width, hanging=len("usage: "), used=len("usage: "))
        super().add_usage(usage, *rest, **more)

    def _fill_text(self, text: str, width: int, indent: str) -> str:  # noqa: ARG002 - argparse's signature
        """A text keeps the lines that it has; what follows a word of a list hangs below what is said of it."""
        return "\n".join(
            _broken(line, width, hanging=re.match(r"( +\S+ +)?", line).end())  # type: ignore[union-attr]  # it matches always
            for line in text.strip().splitlines()
        )

    def _get_type_str(self, action: argparse.Action) -> str | None:
        if action.dest not in SECTIONS and (kind := _kind_of(action.dest)) is not None:
            return wanted(kind, action.dest)
        found = super()._get_type_str(action)
        return _TYPES.get(found, found) if found else found


def _broken(line: str, width: int, *, hanging: int, used: int = 0) -> str:
    return textwrap.fill(
        line,
        width,
        initial_indent=" " * used,
        subsequent_indent=" " * hanging,
        break_long_words=False,
        break_on_hyphens=False,
    )[used:]


class _ConfigFile(ActionConfigFile):
    """As jsonargparse's, but an unknown key is answered with the nearest known one."""

    def __call__(self, parser: Any, cfg: Any, values: Any, option_string: str | None = None) -> None:
        try:
            read_yaml(values)
        except ConfigError as error:
            raise argparse.ArgumentError(None, str(error)) from error
        super().__call__(parser, cfg, str(file_of(values)), option_string)  # type: ignore[no-untyped-call]
