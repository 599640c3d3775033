"""The three protocols: what a trainer may see, what changes runs afterwards, and what a person's tools read.

They are :class:`RunStore`, :class:`RunEditor` and :class:`RunReader`.

Thread safety: every method of every store may be called from any thread at any time. Process safety: a store may be
pickled, and used after ``fork`` or ``spawn``; the child opens its own connection. Ownership: values that a store
returns are the caller's and never change under later writes. The rules that every backend keeps are the clauses of
``docs/contract.md``; their ids are cited here as ``[MET.1]``.

What a backend implements are the operations of :class:`runstore.backend.BackendStore`, whose public methods are these.
"""

from runstore.protocol.editing import RunEditor
from runstore.protocol.reading import RunReader
from runstore.protocol.writing import RunStore

__all__ = ["RunEditor", "RunReader", "RunStore"]
