"""Looking at the database of a URL without opening a store."""

from runstore.backend import Administration
from runstore.errors import RunStoreError, SettingsError
from runstore.plugins.registry import backend_for, broken_plugin
from runstore.secrets import Secrets, without_secrets
from runstore.settings import load_settings, require_url
from runstore.urls import absolute_url, scheme_of, with_plain_scheme


def open_administration(url: str | None = None) -> Administration:
    """What a backend offers to those who look after its database; nothing is connected to yet.

    Args:
        url: as for :func:`runstore.open_store`.

    Raises:
        SettingsError: no URL, or one that cannot be understood, or the backend offers nothing.
        PluginError: no backend can serve it; says what to install.
    """
    given = require_url(load_settings(url=url))
    backend = backend_for(scheme_of(given))
    store_url = absolute_url(with_plain_scheme(given))
    if backend.administer is None:
        raise SettingsError(
            f"the backend {backend.name!r} tells nothing of its database: it has no Administration, see Backend.administer"
        )
    try:
        return backend.administer(store_url)
    except Exception as error:  # noqa: BLE001 - raised again below, without secrets
        failed = error if isinstance(error, RunStoreError) else broken_plugin(backend, store_url, error)
    raise without_secrets(failed, Secrets(store_url))
