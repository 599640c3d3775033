"""What Alembic runs: the revisions on the connection that :mod:`runstore_sql.versions` hands over.

The transaction and the lock around it are the caller's, so Alembic begins none of its own.
"""

from alembic import context

from runstore_sql.schema.tables import VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    version_table=VERSION_TABLE,
    transactional_ddl=False,
)
context.run_migrations()
