"""The schema's history, one revision a file, run by :mod:`runstore_sql.opening`."""
