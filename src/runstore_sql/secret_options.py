"""Options of a URL that hold secrets (``?password=…``), kept apart from it: SQLAlchemy's own reprs show all options."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from runstore.secrets import is_secret_option


def part(url: sa.URL) -> tuple[sa.URL, dict[str, Any]]:
    """The URL without its secret options, and those."""
    options = {name: value for name, value in url.query.items() if is_secret_option(name)}
    return url.difference_update_query(list(options)), options


def whole(url: sa.URL, options: Mapping[str, Any]) -> str:
    """The text of the URL with everything, password included: for a pickled store only."""
    return url.update_query_dict(options).render_as_string(hide_password=False)


def connect_arguments(url: sa.URL, options: Mapping[str, Any]) -> dict[str, Any]:
    """What the driver must be given beside the URL."""
    arguments = dict(options)
    if url.get_backend_name() == "mysql":
        # As bytes: the driver would write a text as Latin-1, and servers hash a password's UTF-8.
        password = arguments.get("password", arguments.pop("passwd", url.password))
        if isinstance(password, str):
            arguments["password"] = password.encode()
    return arguments
