"""Under which names the page may be asked for.

A web page of a stranger can give its own name the address of this machine (DNS rebinding), and its scripts could then read
what the page shows. Such a request names the stranger in ``Host``, so only names that are known are answered.
"""

import re
from collections.abc import Collection
from ipaddress import ip_address
from typing import Final

_HOST: Final = re.compile(r"(?:\[([^\[\]]+)\]|([^:\[\]]+?)\.?)(?::\d*)?")
_NAME: Final = re.compile(r"[\w.-]{1,253}|[0-9a-f:]{2,45}", re.ASCII)


def name_in(host: str) -> str:
    """The name in a ``Host`` header, without its port and in lower case: ``[::1]:80`` gives ``::1``.

    What is no such header names nothing.
    """
    found = _HOST.fullmatch(host)
    return (found[1] or found[2]).lower() if found else ""


def is_allowed(host: str, allowed: Collection[str], *, by_number: bool = False) -> bool:
    """Whether a ``Host`` header names this machine's loopback or one of the names that are allowed.

    Args:
        host: the header.
        allowed: names; with a port they mean the same.
        by_number: whether all addresses in numbers are allowed: no name server can give them to a stranger.
    """
    name = name_in(host)
    return is_loopback(name) or (by_number and _is_number(name)) or (name != "" and name in map(name_in, allowed))


def is_name(text: str) -> bool:
    """Whether it is a name that may stand in a command as it is."""
    return _NAME.fullmatch(text) is not None


def is_loopback(name: str) -> bool:
    """Whether a name means this machine alone, whatever a name server says."""
    name = name.lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    return _is_number(name) and ip_address(name).is_loopback


def _is_number(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
