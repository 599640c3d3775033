"""What is made in an empty database: collections, indexes and the two views."""

from runstore_mongo.schema.opening import open_schema

__all__ = ["open_schema"]
