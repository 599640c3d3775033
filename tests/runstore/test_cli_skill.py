"""The page for coding agents says what is so: commands, examples, filters and views."""

import re
import shlex
from contextlib import closing
from pathlib import Path
from sqlite3 import connect

import click

from documentation.pages import understand
from runstore import open_store
from runstore.cli import app
from runstore.errors import InvalidValueError
from runstore.query.parser import WORDS, parse_filter
from support.commands import runstore_here


def page() -> str:
    done = runstore_here("skill")
    assert done.exit_code == 0, done.output
    return done.stdout


def blocks(kind: str) -> list[str]:
    return [line for block in re.findall(rf"```{kind}\n(.*?)```", page(), re.DOTALL) for line in block.splitlines()]


def test_every_command_is_listed_and_nothing_else() -> None:
    context = click.Context(app)
    commands = {name: app.get_command(context, name) for name in app.list_commands(context)}
    below = {
        f"{name} {each}" for name, one in commands.items() if isinstance(one, click.Group) for each in one.commands
    }
    alone = {name for name, one in commands.items() if not isinstance(one, click.Group)}

    listed = re.findall(r"^\| `runstore ([a-z]+(?: [a-z]+)?)", page(), re.MULTILINE)

    assert sorted(listed) == sorted(alone | below)


def test_the_examples_are_understood() -> None:
    examples = blocks("sh")

    assert len(examples) > 4
    for example in examples:
        assert example.startswith("runstore ")
        understand(shlex.split(example)[1:])


def test_the_filters_are_understood_and_every_field_is_named() -> None:
    filters = blocks("text")

    assert len(filters) > 3
    assert all(parse_filter(each) is not None for each in filters)
    fields = page().partition("* Fields: `")[2].partition("`")[0].split()
    assert set(fields) == set(WORDS) - {"parent_run_id"}


def test_the_views_have_these_columns(tmp_path: Path) -> None:
    open_store(f"sqlite:///{tmp_path}/runs.db", durable=False).close()
    told = dict(re.findall(r"^\| `([a-z_]+)` \| (`.*`) \|$", page(), re.MULTILINE))

    with closing(connect(tmp_path / "runs.db")) as database, database:
        views = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'view'")]
        columns = {view: [row[1] for row in database.execute(f"PRAGMA table_info({view})")] for view in views}

    assert {view: re.findall(r"`([a-z0-9_]+)`", listed) for view, listed in told.items()} == columns


def test_it_is_written_where_an_agent_looks(tmp_path: Path) -> None:
    place = tmp_path / "skills" / "runstore" / "SKILL.md"

    done = runstore_here("skill", "--output", str(place))

    assert done.stdout == f"{place}\n"
    assert place.read_text(encoding="utf-8") == page()
    assert place.read_text(encoding="utf-8").startswith("---\nname: runstore\n")
    place.write_text("mine")
    assert isinstance(runstore_here("skill", "--output", str(place)).exception, InvalidValueError)
    assert runstore_here("skill", "--output", str(place), "--force").exit_code == 0
    assert place.read_text(encoding="utf-8") == page()
