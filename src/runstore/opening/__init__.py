"""Opening a store or a reader by its URL, or looking at its database without."""

from runstore.opening.administering import open_administration
from runstore.opening.editing import Editor, open_editor
from runstore.opening.stores import check_url, open_reader, open_store

__all__ = ["Editor", "check_url", "open_administration", "open_editor", "open_reader", "open_store"]
