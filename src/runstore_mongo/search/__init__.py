"""Searching runs: filters and orderings in the server's language."""

from runstore_mongo.search.pages import read_page

__all__ = ["read_page"]
