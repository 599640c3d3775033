"""Opening a store or a reader by its URL; swapping databases is changing that one value."""

from runstore._tracebacks import without_frames
from runstore.backend import BackendStore, Store
from runstore.backend.begun import leave_at_exit
from runstore.errors import RunStoreError
from runstore.hookspecs import Backend, OpenOptions
from runstore.opening.reading import ReadOnlyStore
from runstore.plugins.registry import backend_for, broken_plugin, open_with
from runstore.protocol import RunReader
from runstore.secrets import Secrets, without_secrets
from runstore.settings import Settings, load_settings, require_url
from runstore.urls import absolute_url, check_splits, scheme_of, with_plain_scheme


def open_store(url: str | None = None, *, durable: bool = True, artifacts: str | None = None) -> Store:
    """A store to write runs to; it can be read as well.

    Args:
        url: ``sqlite:///runs.db``, ``postgresql://user@host/database``, ``mysql://…``, ``mongodb://host/database``,
            ``memory://`` or a scheme of an installed plugin. By default it comes from ``RUNSTORE_URL``,
            ``runstore.toml`` or ``[tool.runstore]`` in ``pyproject.toml``, in that order.
        durable: journal every call on local disk first and write to the database in the background, so that a
            database that is slow or away never stops or slows the caller. ``False`` gives the bare store.
        artifacts: where artifact bytes go, a directory or fsspec URL; the backend's own place by default.

    Raises:
        SettingsError: no URL, or one that cannot be understood, or a place for artifacts that cannot be reached.
        PluginError: no backend can serve it; says what to install.
        StoreUnavailableError: the database cannot be reached (bare stores only).
        StoreFailureError: it answers and turns us away: a wrong password, no such database.
        SchemaError: the database cannot be used as it stands.
    """
    store_url, backend, options = _found(load_settings(url=url, artifacts=artifacts), read_only=False)
    try:
        if durable:
            from runstore.recording import open_recorder  # noqa: PLC0415 - a bare store need not load the recorder

            return open_recorder(store_url, backend, options)
        store = _open(backend, store_url, options)
    except RunStoreError as error:
        raise without_frames(error)  # noqa: B904 - it is the same error
    if scheme_of(store_url) != "memory":  # which is gone then, with its runs
        leave_at_exit(store)
    return store


def open_reader(url: str | None = None, *, artifacts: str | None = None) -> RunReader:
    """A reader of an existing store; it creates and writes nothing, and each verb is :class:`ReadOnlyError`.

    Args:
        url: as for :func:`open_store`.
        artifacts: as for :func:`open_store`.

    Raises:
        SettingsError: no URL, or one that cannot be understood.
        PluginError: no backend can serve it; says what to install.
        StoreUnavailableError: the database cannot be reached.
        SchemaError: there is no store at this URL, or it cannot be used as it stands.
    """
    store_url, backend, options = _found(load_settings(url=url, artifacts=artifacts), read_only=True)
    try:
        return ReadOnlyStore(_open(backend, store_url, options), url=store_url)
    except RunStoreError as error:
        raise without_frames(error)  # noqa: B904 - as above


def check_url(url: str) -> None:
    """Refuses a URL that no installed backend can serve; the database itself is not asked.

    Raises:
        SettingsError: the URL cannot be understood.
        PluginError: no backend can serve it; says what to install.
    """
    check_splits(url)
    backend_for(scheme_of(url))


def _found(settings: Settings, *, read_only: bool) -> tuple[str, Backend, OpenOptions]:
    """What is opened, by whom and how; no path in it depends on the working directory.

    A program may change that, and its children and pickled stores mean the same file and folder.
    """
    url = require_url(settings)
    artifacts = settings.artifacts
    if artifacts is not None:
        from runstore.artifacts.roots import absolute_place, check_place  # noqa: PLC0415 - needed for such places only

        check_place(artifacts)
        artifacts = absolute_place(artifacts)
    backend = backend_for(scheme_of(url))
    return absolute_url(with_plain_scheme(url)), backend, OpenOptions(artifacts=artifacts, read_only=read_only)


def _open(backend: Backend, url: str, options: OpenOptions) -> BackendStore:
    try:
        return open_with(backend, url, options)
    except Exception as error:  # noqa: BLE001 - raised again below, without secrets
        failed = error if isinstance(error, RunStoreError) else broken_plugin(backend, url, error)
    raise without_secrets(failed, Secrets(url, options.artifacts))
