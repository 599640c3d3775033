"""The backends that are installed, found by pluggy."""

from runstore.plugins.registry import Catalog, FoundBackend, broken_plugin, find_backends

__all__ = ["Catalog", "FoundBackend", "broken_plugin", "find_backends"]
