"""Runs in a DuckDB file: an example of a runstore backend by an outside author."""
