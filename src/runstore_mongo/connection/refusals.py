"""Servers that answer and will not do: what the driver takes for nobody there, and what a user may not."""

from typing import Final

from pymongo.database import Database
from pymongo.errors import AutoReconnect, ConfigurationError, OperationFailure, ProtocolError
from pymongo.topology_description import TOPOLOGY_TYPE, TopologyDescription

from runstore.errors import StoreFailureError
from runstore_mongo.documents.names import Document

_TLS: Final = ("SSL handshake failed", "[SSL: ")
"""What the driver and OpenSSL, which speak English alone, say of TLS."""
READS: Final = frozenset({"find"})
WRITES: Final = frozenset({"find", "insert", "update"})
CHANGES: Final = WRITES | {"collMod", "createCollection", "createIndex"}


def is_turned_away(found: TopologyDescription) -> bool:
    """Whether every host was reached and none will do: no TLS, another set's name, no MongoDB at all.

    Args:
        found: what the driver knows after it has looked for a server in vain.
    """
    servers = found.server_descriptions().values()
    if not servers:  # each has answered that it is no member of the set
        return found.topology_type == TOPOLOGY_TYPE.ReplicaSetNoPrimary
    return all(
        isinstance(server.error, (ConfigurationError, ProtocolError))
        or (isinstance(server.error, AutoReconnect) and any(words in str(server.error) for words in _TLS))
        for server in servers
    )


def check_may_write(database: "Database[Document]", shown: str) -> None:
    """Refuses to write with a user who may only read: a run that nothing can be stored of is better told now.

    Raises:
        StoreFailureError: names the role to ask for.
    """
    found = actions_of_user(database)
    if found is not None and not found[1] >= WRITES:
        raise StoreFailureError(
            f"{found[0]} may not write to {shown}; ask whoever runs the server for the role readWrite on this database, or "
            "use open_reader(url)"
        )


def actions_of_user(database: "Database[Document]") -> tuple[str, frozenset[str]] | None:
    """Who the server takes us for, and what they may do with runs; ``None`` where it asks for no user, or tells no rights."""
    try:
        told = database.command({"connectionStatus": 1, "showPrivileges": True})["authInfo"]
    except OperationFailure:  # a server of another make, which tells no rights: the first write will
        return None
    if not told["authenticatedUsers"]:  # a server that asks for no user
        return None
    allowed: set[str] = set()
    for privilege in told.get("authenticatedUserPrivileges", ()):
        place = privilege["resource"]
        if place.get("anyResource") or (
            place.get("db") in {"", database.name} and place.get("collection") in {"", "runs"}
        ):
            allowed |= set(privilege["actions"])
    return ", ".join(user["user"] for user in told["authenticatedUsers"]), frozenset(allowed)
