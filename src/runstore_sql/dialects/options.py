"""What stands behind the ``?`` of a URL.

An option that nobody knows is told, not ignored. Options that hold secrets (``?password=…``) are kept apart from the
URL: SQLAlchemy's own reprs show all options.
"""

import difflib
from collections.abc import Iterable, Mapping
from typing import Any, Final

import sqlalchemy as sa

from runstore.errors import SettingsError
from runstore.secrets import is_secret_option, split_url

_HOSTS: Final = "runstore-several-hosts"


def split_secrets(url: sa.URL) -> tuple[sa.URL, dict[str, Any]]:
    """The URL without its secret options, and those."""
    options = {name: value for name, value in url.query.items() if is_secret_option(name)}
    return url.difference_update_query(list(options)), options


def split_hosts(text: str) -> sa.URL:
    """The parts of a URL, also of one that names several servers, ``//one:5432,two/runs``: they are the option ``host``.

    Raises:
        sqlalchemy.exc.ArgumentError, ValueError: it cannot be understood.
    """
    hosts = split_url(text).hosts
    if "," not in hosts:
        return sa.make_url(text)
    scheme, mark, rest = text.partition("://")
    before, _, behind = rest.partition(hosts)
    return sa.make_url(f"{scheme}{mark}{before}{behind}").update_query_dict({"host": hosts.split(",")})


def as_written(url: sa.URL) -> str:
    """The text of a URL without its password, several hosts where people write them."""
    hosts = url.query.get("host", "")
    if isinstance(hosts, str):
        return url.render_as_string(hide_password=True)
    text = url.difference_update_query(["host"]).set(host=_HOSTS).render_as_string(hide_password=True)
    return text.replace(_HOSTS, ",".join(hosts), 1)


def check_known(
    given: Mapping[str, Any],
    known: Iterable[str],
    *,
    whose: str,
    refused: Mapping[str, str],
    meant: Mapping[str, str] | None = None,
) -> None:
    """Refuses options that the driver does not have, or that would break what a store promises.

    Args:
        given: the URL's.
        known: the driver's names.
        whose: the kind of URL, for people.
        refused: options that the driver has and a store cannot take, with the reason.
        meant: names that people bring along from other programs, with what to write here.

    Raises:
        SettingsError: names the first of them, and what was likely meant.
    """
    names = sorted(known)
    for name in given:
        if name in refused:
            raise SettingsError(f"the option {name} of {whose} cannot be taken: {refused[name]}; take it out")
        if name in names:
            if not isinstance(given[name], str) and name != "host":  # one each for several servers
                raise SettingsError(f"the option {name} of {whose} is given twice; leave one")
            continue
        hint = (meant or {}).get(_folded(name), "")
        if not hint:
            folded = {_folded(each): each for each in names}
            near = difflib.get_close_matches(_folded(name), folded, n=1, cutoff=0.7)
            hint = f"did you mean {folded[near[0]]}?" if near else f"known are {', '.join(names)}"
        raise SettingsError(f"the option {name} of {whose} is unknown; {hint}")


def _folded(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "")
