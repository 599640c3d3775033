"""The reference store: the contract in plain Python, in the memory of one process."""

from runstore.memory.store import MemoryDatabase, MemoryStore

__all__ = ["MemoryDatabase", "MemoryStore"]
