"""The SQL backends of runstore: SQLite, PostgreSQL and MySQL/MariaDB, on SQLAlchemy Core.

Importing this package imports no driver; :mod:`runstore_sql.plugin` does so when a store is opened.
"""
