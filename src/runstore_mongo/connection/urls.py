"""What a MongoDB URL says: the database, and the driver's options, none of which is ignored in silence."""

from typing import Any, Final
from urllib.parse import unquote

from pymongo.errors import ConfigurationError, PyMongoError
from pymongo.uri_parser import split_options

from runstore.errors import SettingsError
from runstore.secrets import redact_word, split_url

_DEFAULTS: Final[dict[str, Any]] = {
    "appname": "runstore",
    "connecttimeoutms": 5_000,
    "journal": True,  # acknowledged means on disk (DUR.1)
    "maxpoolsize": 16,
    "serverselectiontimeoutms": 5_000,
    "sockettimeoutms": 120_000,
    "w": "majority",  # acknowledged survives an election (DUR.1)
}
"""Options of the driver, each unless the URL says otherwise."""

_CHECKED_ELSEWHERE: Final = "authmechanismproperties"  # its value may hold a secret; see connection.py


def check_options(url: str) -> None:
    """Refuses options that the driver would only warn of, and those under which nothing would be kept.

    Raises:
        SettingsError: names the option.
    """
    for quoted, value in split_url(url).options:
        name = unquote(quoted)
        if name.lower() == _CHECKED_ELSEWHERE:
            continue
        try:
            found = split_options(f"{quoted}={value}", validate=True, warn=False)
        except ConfigurationError as error:
            hint = str(error).partition("Did you mean ")[2].partition(" Refer")[0]
            raise SettingsError(
                f"the option {name} of a MongoDB URL is unknown; did you mean {hint or 'another one?'}"
            ) from None
        except (ValueError, OSError, PyMongoError) as error:
            raise SettingsError(f"the option {name} of a MongoDB URL cannot be used: {error}; mend it") from None
        if name.lower() == "w" and found.get("w") == 0:
            raise SettingsError(
                "the option w=0 of a MongoDB URL asks the server not to say whether it stored anything, so nothing could be "
                "promised to be there; take it out (w=majority is then used), or write w=1"
            )


def database_of(url: str) -> str:
    """The name of the database.

    Raises:
        SettingsError: there is none, or one that MongoDB does not allow.
    """
    name = unquote(split_url(url).path.lstrip("/"))
    if not name:
        raise SettingsError(
            f"the store URL {redact_word(url)} names no database; put one after the host, as in mongodb://host:27017/runs"
        )
    if any(character in name for character in '/\\. "$\x00') or len(name.encode()) > 63:  # noqa: PLR2004 - the server's limit
        raise SettingsError(
            f"the store URL {redact_word(url)} names the database {name!r}, which MongoDB does not allow; "
            'use up to 63 characters without / \\ . " $ or spaces'
        )
    return name


def options_of(url: str) -> dict[str, Any]:
    """The driver's options that the URL leaves to us."""
    given = {unquote(name).lower() for name, _ in split_url(url).options}
    if "j" in given:
        given.add("journal")
    if "w" in given:
        given.add("journal")  # w=0 and journal exclude each other: who sets one decides on both
    return {key: value for key, value in _DEFAULTS.items() if key not in given}


def with_database(url: str, name: str) -> str:
    """The URL with another database. A user whose place was not said stays one of the database that the URL named."""
    front, question, options = url.partition("?")
    scheme, mark, place = front.partition("://")
    users = split_url(url)
    if users.user is not None and "authsource" not in {key.lower() for key, _ in users.options}:
        options = f"{options}{'&' if options else ''}authSource={database_of(url)}"
        question = "?"
    return f"{scheme}{mark}{place.partition('/')[0]}/{name}{question}{options}"
