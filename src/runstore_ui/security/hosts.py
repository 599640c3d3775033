"""Under which names the page may be asked for.

A web page of a stranger can give its own name the address of this machine (DNS rebinding), and its scripts could then read
what the page shows. Such a request names the stranger in ``Host``, so only names that are known are answered.
"""

from collections.abc import Collection
from ipaddress import ip_address


def name_in(host: str) -> str:
    """The name in a ``Host`` header, without its port and in lower case: ``[::1]:80`` gives ``::1``."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].rstrip(".").lower()


def is_allowed(host: str, allowed: Collection[str]) -> bool:
    """Whether a ``Host`` header names this machine's loopback or one of the names that are allowed."""
    name = name_in(host)
    return is_loopback(name) or name in {each.lower().strip("[]") for each in allowed}


def is_loopback(name: str) -> bool:
    """Whether a name means this machine alone, whatever a name server says."""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False
