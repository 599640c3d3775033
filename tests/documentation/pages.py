"""The pages that users read, and the blocks in them."""

import ast
import builtins
import re
import shlex
import textwrap
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, cast

import click

from runstore.cli import app

ROOT = Path(__file__).resolve().parents[2]
PAGES = {str(path.relative_to(ROOT)): path for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]}

_BLOCK = re.compile(r"^( *)```(\w+)?[^\n]*\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"^(?:\$ )?((?:runstore|pneumo-train)\b.*)$", re.MULTILINE)
_COMMAND_IN_TEXT = re.compile(r"`((?:runstore|pneumo-train) [^`]+)`")


class Block(NamedTuple):
    """One block of a page; ``name`` is what its errors call it."""

    name: str
    language: str
    text: str


def blocks_of(page: str, *languages: str) -> list[Block]:
    """The blocks of a page in these languages, in their order."""
    found = enumerate(_BLOCK.finditer(PAGES[page].read_text(encoding="utf-8")), start=1)
    blocks = [Block(f"{page}, block {number}", each[2] or "", textwrap.dedent(each[3])) for number, each in found]
    return [block for block in blocks if block.language in languages]


def pages_with(*languages: str) -> list[str]:
    """The pages that have blocks in one of these languages."""
    return [page for page in PAGES if blocks_of(page, *languages)]


def run_blocks(page: str, *languages: str, replaced: dict[str, str] | None = None) -> dict[str, object]:
    """Runs the blocks of a page one after the other, with parts of their text replaced; gives their names."""
    names: dict[str, object] = {"__name__": "documentation"}
    for block in blocks_of(page, *languages):
        text = block.text
        for old, new in (replaced or {}).items():
            text = text.replace(old, new)
        exec(compile(text, block.name, "exec"), names)
    return names


def commands_of(page: str) -> list[list[str]]:
    """The commands of ours that a page shows, in its blocks and in its sentences, each as its words."""
    text = PAGES[page].read_text(encoding="utf-8").replace("\\\n", " ")
    shell = "\n".join(each[3] for each in _BLOCK.finditer(text) if each[2] in {"sh", "bash", "console"})
    written = _COMMAND.findall(shell) + _COMMAND_IN_TEXT.findall(_BLOCK.sub("", text))
    return [_words(each.replace("\n", " ")) for each in written]


def understand(words: list[str]) -> None:
    """Reads the arguments of a command of ours, and of the commands below it, without doing anything.

    An argument may be missing, as in a sentence about `runstore show`; a command below it, too.
    """
    context, command = click.Context(app, info_name="runstore", **app.context_settings), cast("click.Command", app)
    while isinstance(command, click.Group) and words:
        name, found, words = command.resolve_command(context, words)
        assert found is not None
        command = found
        if not isinstance(command, click.Group):
            with suppress(click.MissingParameter):
                command.make_context(name, words, parent=context)


def _words(command: str) -> list[str]:
    words = shlex.split(command, comments=True)
    return words[: words.index(">")] if ">" in words else words


def undefined_names(texts: list[str]) -> set[str]:
    """The names that these programs use, one after the other, and that none of them makes."""
    made = {*dir(builtins), "__name__"}
    used: set[str] = set()
    for node in ast.walk(ast.parse("\n".join(texts))):
        match node:
            case ast.Name(id=name, ctx=ast.Load()):
                used.add(name)
            case ast.Name(id=name) | ast.arg(arg=name) | ast.ExceptHandler(name=str(name)):
                made.add(name)
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                made.add(name)
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                made.update((each.asname or each.name).partition(".")[0] for each in names)
    return used - made
