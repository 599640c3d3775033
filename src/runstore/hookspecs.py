"""The plugin interface: one hook, which returns descriptions and opens nothing.

A plugin is a module named by an entry point of the group ``runstore``::

    [project.entry-points.runstore]
    duckdb = "runstore_duckdb.plugin"

It imports no driver; the driver is imported inside :attr:`Backend.open`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import pluggy

from runstore.backend import Administration, BackendStore
from runstore.secrets import redact_word

GROUP = "runstore"
"""The entry-point group, and the project name of the pluggy markers."""

hookspec: pluggy.HookspecMarker = pluggy.HookspecMarker(GROUP)
hookimpl: pluggy.HookimplMarker = pluggy.HookimplMarker(GROUP)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenOptions:
    """What a backend is opened with beside its URL.

    Attributes:
        artifacts: where artifact bytes go: a directory or any fsspec URL; ``None`` for the backend's own default.
        read_only: open for reading: create nothing, and refuse an empty database with a SchemaError that says so.
    """

    artifacts: str | None = None
    read_only: bool = False

    def __repr__(self) -> str:
        """The place without its secrets."""
        place = None if self.artifacts is None else redact_word(self.artifacts)
        return f"OpenOptions(artifacts={place!r}, read_only={self.read_only})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """A database that runstore can keep runs in.

    Attributes:
        name: for people and errors.
        schemes: URL schemes, lower case.
        open: imports the driver and returns a store on the URL; raises errors of :mod:`runstore.errors` only.
        modules: what must be importable for ``open`` to work; they are looked for, not imported.
        install: what ``pip install`` must be given when one of them is missing.
        administer: looks at the database of a URL, whatever state it is in; ``None`` where the backend has nothing to
            tell. ``runstore migrate``, ``doctor``, ``sql`` and ``conformance`` ask for it.
    """

    name: str
    schemes: tuple[str, ...]
    open: Callable[[str, OpenOptions], BackendStore]
    modules: tuple[str, ...] = ()
    install: str = ""
    administer: Callable[[str], Administration] | None = None


@hookspec
def runstore_backends() -> Iterable[Backend]:  # type: ignore[empty-body]  # a specification has no body
    """The backends that this plugin brings."""
