"""What is made in an empty database, and in one of an older release: collections, indexes and the two views."""

from runstore_mongo.schema.opening import has_stored_to_roll_up, open_schema, tell_rolled_up

__all__ = ["has_stored_to_roll_up", "open_schema", "tell_rolled_up"]
