"""Searching and counting runs: filters and orderings in the server's language."""

from runstore_mongo.search.deletions import read_deleted
from runstore_mongo.search.facets import read_count, read_keys, read_values
from runstore_mongo.search.pages import read_page

__all__ = ["read_count", "read_deleted", "read_keys", "read_page", "read_values"]
