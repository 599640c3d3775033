"""Changing what has begun, and removing for good what nothing refers to any more."""
