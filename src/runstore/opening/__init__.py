"""Opening a store or a reader by its URL."""

from runstore.opening.stores import check_url, open_reader, open_store

__all__ = ["check_url", "open_reader", "open_store"]
