"""Finding backends: every plugin is loaded under guard, so that a broken one costs only itself."""

import difflib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from typing import Final

import pluggy

from runstore import hookspecs
from runstore.backend import BackendStore
from runstore.errors import (
    BrokenPluginError,
    MissingDriverError,
    PluginError,
    SchemeConflictError,
    UnknownSchemeError,
)
from runstore.hookspecs import GROUP, Backend, OpenOptions
from runstore.plugins import memory as memory_plugin
from runstore.plugins.installed import Installed
from runstore.secrets import redact, redact_word

_OTHER_NAMES: Final = {
    "file": "sqlite",
    "mongo": "mongodb",
    "pg": "postgresql",
    "postgre": "postgresql",
    "pgsql": "postgresql",
    "psql": "postgresql",
    "psycopg": "postgresql",
    "psycopg2": "postgresql",
    "pymysql": "mysql",
}
"""Words that people write for a database and that are not spelt like its scheme."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundBackend:
    """A backend and how it stands on this machine.

    Attributes:
        plugin: the entry point's name and distribution.
        missing: the modules of ``backend.modules`` that are not installed.
    """

    backend: Backend
    plugin: str
    missing: tuple[str, ...]

    @property
    def is_ready(self) -> bool:
        """Whether the driver is installed."""
        return not self.missing

    @property
    def needs(self) -> str:
        """The command that installs what is missing; empty when nothing is."""
        return f'pip install "{self.backend.install}"' if self.missing else ""


@dataclass(slots=True, kw_only=True)
class Catalog:
    """All backends that were found, and the plugins that failed to load, by name with their error."""

    backends: list[FoundBackend] = field(default_factory=list)
    broken: dict[str, BaseException] = field(default_factory=dict)

    def backend_for(self, scheme: str) -> Backend:
        """The one ready backend of a scheme.

        Raises:
            SchemeConflictError: two plugins claim the scheme; names both.
            MissingDriverError: says what to install.
            UnknownSchemeError: lists what is known, and the plugins that failed to load.
        """
        claims = [found for found in self.backends if scheme in found.backend.schemes]
        if len(claims) > 1:
            names = " and ".join(f"{found.backend.name!r} of {found.plugin}" for found in claims)
            raise SchemeConflictError(f"the scheme {scheme!r} is claimed by {names}; uninstall one of them")
        if not claims:
            raise UnknownSchemeError(
                f"no backend for scheme {scheme!r}; {self._meant(scheme)}known: {self._known()}{self._failures()}"
            )
        found = claims[0]
        if found.missing:
            raise MissingDriverError(
                f"the backend {found.backend.name!r} for scheme {scheme!r} needs "
                f"{' and '.join(found.missing)}, not installed here; run: {found.needs}"
            )
        return found.backend

    def _meant(self, scheme: str) -> str:
        known = {each for found in self.backends for each in found.backend.schemes}
        near = [_OTHER_NAMES.get(scheme, ""), *difflib.get_close_matches(scheme, known, n=1)]
        return next((f"did you mean {each}://? " for each in near if each in known), "")

    def _known(self) -> str:
        return ", ".join(
            scheme + (f" (needs: {found.needs})" if found.missing else "")
            for found in self.backends
            for scheme in found.backend.schemes
        )

    def _failures(self) -> str:
        return "".join(
            f"; the plugin {name} failed to load: {redact(f'{type(error).__name__}: {error}')}"
            for name, error in self.broken.items()
        )


@dataclass(frozen=True, slots=True)
class _Plugin:
    """What an installed plugin said of itself: its backends, or why it could not be asked."""

    label: str
    backends: Sequence[Backend] = ()
    error: Exception | None = None


def find_backends() -> Catalog:
    """Every backend of every installed plugin; nothing is opened and no driver is imported.

    Plugins are looked for afresh at each call, so that what was just installed is found.
    """
    return _catalog_of(_INSTALLED.get(afresh=True))


def backend_for(scheme: str) -> Backend:
    """The one ready backend of a scheme, what was just installed included.

    Plugins are looked for afresh only where something was installed since, or where none can serve the scheme.

    Raises:
        PluginError: as of :meth:`Catalog.backend_for`.
    """
    with suppress(PluginError):  # the second look says why, with no first one in its traceback
        return _catalog_of(_INSTALLED.get()).backend_for(scheme)
    return find_backends().backend_for(scheme)


def open_with(backend: Backend, url: str, options: OpenOptions) -> BackendStore:
    """What the backend opens; raises what it raises.

    Raises:
        TypeError: it opened something else than a store.
    """
    store = backend.open(url, options)
    if not isinstance(store, BackendStore):
        raise TypeError(
            f"open returned an object of type {type(store).__name__}; a store derives from runstore.backend.BackendStore"
        )
    return store


def broken_plugin(backend: Backend, url: str, error: Exception) -> BrokenPluginError:
    """What to raise for an error that a backend should not have let out; it becomes the cause."""
    failed = BrokenPluginError(
        f"the backend {backend.name!r} failed to open {redact_word(url)}: {type(error).__name__}: {error}"
    )
    failed.__cause__ = error
    return failed


def _load_plugins() -> list[_Plugin]:
    found = [_asked("runstore (built in)", memory_plugin)]
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        label = _label(entry)
        try:
            plugin = entry.load()
        except Exception as error:  # noqa: BLE001 - a stranger's module may raise anything at import
            found.append(_Plugin(label, error=error))
            continue
        found.append(_asked(label, plugin))
    return found


_INSTALLED: Final = Installed(_load_plugins)


def _label(entry: EntryPoint) -> str:
    distribution = f" ({entry.dist.name} {entry.dist.version})" if entry.dist else ""
    return f"{entry.name}{distribution}"


def _asked(label: str, plugin: object) -> _Plugin:
    """A plugin with the backends that its hook gives."""
    # One manager a plugin: pluggy stops at the first implementation that raises, and the others must still be heard.
    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(hookspecs)
    try:
        manager.register(plugin, label)
        manager.check_pending()
        answers: list[Iterable[Backend]] = manager.hook.runstore_backends()
        backends = [backend for answer in answers for backend in answer]
        if not answers or not all(isinstance(backend, Backend) for backend in backends):
            message = "the plugin has no hook runstore_backends that gives Backend descriptions"
            raise BrokenPluginError(message)  # noqa: TRY301 - kept with the plugin's name like any other failure
    except Exception as error:  # noqa: BLE001 - a stranger's hook may raise anything
        return _Plugin(label, error=error)
    return _Plugin(label, backends)


def _catalog_of(plugins: Iterable[_Plugin]) -> Catalog:
    """The backends of plugins, and which of their drivers are installed now."""
    catalog = Catalog()
    for plugin in plugins:
        try:
            found = [_found(backend, plugin.label) for backend in plugin.backends]
        except Exception as error:  # noqa: BLE001 - a stranger may give for a module what is no name of one
            catalog.broken[plugin.label] = error
            continue
        catalog.backends.extend(found)
        if plugin.error is not None:
            catalog.broken[plugin.label] = plugin.error
    return catalog


def _found(backend: Backend, label: str) -> FoundBackend:
    missing = tuple(module for module in backend.modules if not _is_installed(module))
    return FoundBackend(backend=backend, plugin=label, missing=missing)


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):  # a parent package that is missing or half-initialised
        return False
