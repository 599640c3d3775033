"""Patterns in SQLite mean what they mean in Python, by whichever way they are tested."""

import sqlite3
from collections.abc import Iterator

import pytest

sa = pytest.importorskip("sqlalchemy")

from hypothesis import example, given  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from sqlalchemy.dialects import sqlite  # noqa: E402

from runstore.query import like_matcher  # noqa: E402
from runstore_sql.dialects.sqlite.connecting import set_up  # noqa: E402
from runstore_sql.dialects.sqlite.like import is_like  # noqa: E402

CHARACTERS = "aAb%_\\\n'\ud7ff\ue000\ufffd\ufffe\uffff\U0010ffff"


@pytest.fixture(scope="module")
def connection() -> Iterator[sqlite3.Connection]:
    opened = sqlite3.connect(":memory:")
    set_up(opened)
    yield opened
    opened.close()


def statement(pattern: str) -> tuple[str, dict[str, object]]:
    compiled = sa.select(is_like(sa.literal_column(":text"), pattern)).compile(
        dialect=sqlite.dialect(paramstyle="named")
    )
    return str(compiled), dict(compiled.params)


@given(pattern=st.text(CHARACTERS, max_size=6), text=st.text(CHARACTERS, max_size=6))
@example(pattern="\U0010ffff%", text="\U0010ffff")
@example(pattern="a\U0010ffff%", text="b")
@example(pattern="\ud7ff%", text="\ud7ffx")
@example(pattern="ab%b", text="ab")
@example(pattern="%", text="")
@example(pattern="A%", text="a")
def test_a_pattern_matches_what_it_matches_in_python(connection: sqlite3.Connection, pattern: str, text: str) -> None:
    query, parameters = statement(pattern)

    (found,) = connection.execute(query, {**parameters, "text": text}).fetchone()

    assert bool(found) == like_matcher(pattern)(text)


@pytest.mark.parametrize("pattern", ["whole", "head%", "%tail", "head%tail", "%middle%", "it''s \\%%"])
def test_the_usual_patterns_call_nothing_back(pattern: str) -> None:
    assert "runstore_like" not in statement(pattern)[0]


def test_a_head_is_found_by_an_index(connection: sqlite3.Connection) -> None:
    connection.execute("create table if not exists named (name text); ")
    connection.execute("create index if not exists by_name on named (name)")
    compiled = sa.select(sa.column("name")).select_from(sa.table("named")).where(is_like(sa.column("name"), "unet%"))
    query = str(compiled.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}))

    plan = [row[3] for row in connection.execute(f"explain query plan {query}")]

    assert "name>? AND name<?" in plan[0]
