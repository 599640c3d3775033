"""Whether two URLs lead to one store, also where they spell it differently."""

import os
import socket
from contextlib import suppress

from runstore.recording.places import PORTS, identity_of
from runstore.secrets import split_url
from runstore.urls import file_of


def are_same_store(one: str, other: str) -> bool:
    """Whether both lead to one store: by another user, by another name of its host or by a second link to its file, too.

    A server that is reached by way of a tunnel or a pooler is not known as the same one.

    Raises:
        SettingsError: one of them is no URL.
    """
    if identity_of(one) == identity_of(other):
        return True
    files = file_of(one), file_of(other)
    if files[0] is not None and files[1] is not None:
        with suppress(OSError):  # one of them is not there yet
            return os.path.samefile(*(os.path.expanduser(each or "") for each in files))  # noqa: PTH111, PTH121 - texts
        return False
    # Names are looked up only where everything else is equal.
    return _without_hosts(one) == _without_hosts(other) and not _places(one).isdisjoint(_places(other))


def _without_hosts(url: str) -> str:
    scheme, _, rest = identity_of(url).partition("://")
    return f"{scheme}:///{rest.partition('/')[2]}"


def _places(url: str) -> set[tuple[str, str]]:
    """The addresses and ports of a server's hosts; none where the database goes by the user's name."""
    parts = split_url(identity_of(url))
    usual_port = PORTS.get(parts.scheme)
    if usual_port is None or not parts.path.strip("/"):
        return set()
    return {place for host in parts.hosts.split(",") if host for place in _addresses(host, usual_port)}


def _addresses(host: str, usual_port: str) -> set[tuple[str, str]]:
    name, colon, port = host.rpartition(":")
    if not colon or host.endswith("]"):
        name, port = host, usual_port
    name = name.strip("[]")
    with suppress(OSError, UnicodeError):
        return {(str(found[4][0]), port) for found in socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)}
    return {(name, port)}
