"""What a user may give as a store, and what is meant when nothing is given."""

import logging
from collections.abc import Callable
from functools import partial

from pneumo_train.errors import ConfigError
from runstore import RunReader, RunStore, open_store
from runstore.opening import check_url
from runstore.settings import load_settings

_log = logging.getLogger(__name__)

StoreLike = RunStore | str | None
"""A store (it stays the caller's), a store's URL, or ``None``: the configured one."""


def store_or_opener(store: StoreLike) -> RunStore | Callable[[], RunStore] | None:
    """The store itself, or what opens it; ``None`` when none was given and none is configured.

    Raises:
        SettingsError: the settings or the URL cannot be understood.
        PluginError: no backend can serve the URL; says what to install.
    """
    if store is not None and not isinstance(store, str):
        return store
    url = load_settings(url=store).url
    if url:
        check_url(url)  # a wrong scheme or a missing driver is known before training
        return partial(open_store, store)
    return None


def warn_of_no_store() -> None:
    """Says that a training that begins now is kept in files alone."""
    _log.warning(
        "no store is configured: this run's metrics go to files only; give store='sqlite:///runs.db' (--store), or set "
        "RUNSTORE_URL, runstore.toml or [tool.runstore] in pyproject.toml"
    )


def require_store(store: str | None) -> None:
    """Refuses a command that reads a store when none was given and none is configured.

    Raises:
        ConfigError: says how to name one.
        SettingsError: the settings or the URL cannot be understood.
        PluginError: no backend can serve the URL; says what to install.
    """
    if store_or_opener(store) is None:
        raise ConfigError(
            "option --store is missing; it names the store that holds the run, as --store sqlite:///runs.db"
        )


def training_of(reader: RunReader, reference: str) -> str:
    """The id of the training that a reference means: of an evaluation, which ``@1`` is after a test part, that of its training.

    Raises:
        RunNotFoundError: there is no such run.
    """
    run = reader.get_run(reader.resolve_run(reference))
    is_evaluation = run.tags.get("purpose") == "evaluation" and run.parent_run_id is not None
    return str(run.parent_run_id) if is_evaluation else run.id
