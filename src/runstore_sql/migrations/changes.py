"""How a table that exists is changed, unless that was done already. The statements are SQLAlchemy's."""

from typing import Any

import sqlalchemy as sa


def add_column(connection: sa.Connection, table: str, column: sa.Column[Any]) -> None:
    """Adds a column unless the table has it."""
    if column.name in {each["name"] for each in sa.inspect(connection).get_columns(table)}:
        return
    changed = sa.Table(table, sa.MetaData(), column)
    dialect = connection.dialect
    name = dialect.identifier_preparer.format_table(changed)
    words = sa.schema.CreateColumn(column).compile(dialect=dialect)
    connection.exec_driver_sql(f"ALTER TABLE {name} ADD COLUMN {words}")


def add_index(connection: sa.Connection, name: str, table: str, columns: list[str], **options: Any) -> None:
    """Adds an index unless the table has it."""
    if name not in {each["name"] for each in sa.inspect(connection).get_indexes(table)}:
        _index(name, table, columns, **options).create(connection)


def replace_index(connection: sa.Connection, name: str, table: str, columns: list[str]) -> None:
    """Makes an index one on these columns, unless it is."""
    known = {each["name"]: each["column_names"] for each in sa.inspect(connection).get_indexes(table)}
    if name in known and known[name] != columns:
        _index(name, table, columns).drop(connection)
    if known.get(name) != columns:
        _index(name, table, columns).create(connection)


def _index(name: str, table: str, columns: list[str], **options: Any) -> sa.Index:
    changed = sa.Table(table, sa.MetaData(), *(sa.Column(column, sa.types.NullType) for column in columns))
    return sa.Index(name, *changed.c, **options)
