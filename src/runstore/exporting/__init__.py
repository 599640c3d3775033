"""Runs written out of a store, for other programs and for another day."""

from runstore.exporting.exporting import Exported, export

__all__ = ["Exported", "export"]
