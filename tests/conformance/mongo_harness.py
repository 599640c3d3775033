"""Harnesses of MongoDB: standalone and replica set, seen from outside, and broken on purpose."""

import secrets
import threading
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import pymongo
from pymongo import monitoring

from runstore.backend import Store
from runstore.testing import Harness, Unsupported
from runstore.testing.harness import open_url
from runstore.testing.proxy import FaultProxy
from support import going_back
from support.engines import database_of
from support.servers import MongoDB, private_server


class CheckedOut(monitoring.ConnectionPoolListener):
    """Counts the connections that the driver's pools of this process have handed out."""

    def __init__(self) -> None:
        self.count = 0
        self._lock = threading.Lock()

    def connection_checked_out(self, event: Any) -> None:  # noqa: ARG002 - the driver's signature
        with self._lock:
            self.count += 1

    def connection_checked_in(self, event: Any) -> None:  # noqa: ARG002 - the driver's signature
        with self._lock:
            self.count -= 1

    def pool_created(self, event: Any) -> None: ...
    def pool_ready(self, event: Any) -> None: ...
    def pool_cleared(self, event: Any) -> None: ...
    def pool_closed(self, event: Any) -> None: ...
    def connection_created(self, event: Any) -> None: ...
    def connection_ready(self, event: Any) -> None: ...
    def connection_closed(self, event: Any) -> None: ...
    def connection_check_out_started(self, event: Any) -> None: ...
    def connection_check_out_failed(self, event: Any) -> None: ...


CHECKED_OUT = CheckedOut()
monitoring.register(CHECKED_OUT)


class MongoHarness(Harness):
    """A database of a mongod."""

    url: str

    def __init__(
        self,
        server: MongoDB,
        *,
        url: str | None = None,
        proxy: FaultProxy | None = None,
        owned: ExitStack | None = None,
    ) -> None:
        self._server = server
        self._is_ours = url is None
        self._owned = owned
        self._proxy = proxy
        self._rivals: list[threading.Thread] = []
        self._label = f"kit-{secrets.token_hex(4)}"
        self.url = with_option(url or server.new_database(), f"appName={self._label}")

    def open(self) -> Store:
        return open_url(self.url)

    def fresh(self) -> "MongoHarness":
        return type(self)(self._server)

    def faulty(self) -> "MongoHarness":
        proxy = FaultProxy("127.0.0.1", self._server.ports[0], is_noise=_is_heartbeat)
        options = "directConnection=true&serverSelectionTimeoutMS=1000"
        url = f"mongodb://127.0.0.1:{proxy.port}/{database_of(self.url)}?{options}"
        return type(self)(self._server, url=url, proxy=proxy)

    def private(self) -> "MongoHarness":
        owned = ExitStack()
        kind = "mongodb-replica3" if self._server.replica_set else self._server.kind
        server = owned.enter_context(private_server(kind))
        assert isinstance(server, MongoDB)
        return type(self)(server, owned=owned)

    def close(self) -> None:
        if self._proxy is not None:
            self._proxy.close()
        if self._is_ours:
            self._server.drop_database(self.url)
        if self._owned is not None:
            self._owned.close()

    def open_connections(self) -> int:
        for rival in self._rivals:  # its connection is counted, too, and is given back after its lock is gone
            rival.join()
        return CHECKED_OUT.count

    def back_up(self) -> Callable[[], None]:
        return going_back.of_mongodb(self._server.client, self.url)

    def open_transactions(self) -> int:
        return len(self._sessions_in_transactions())

    def fingerprint(self) -> Hashable:
        with self._admin() as database:
            return repr(
                [
                    (
                        info["name"],
                        info["options"],
                        [] if info["type"] == "view" else sorted(database[info["name"]].index_information()),
                        sorted(map(repr, database[info["name"]].find())),
                    )
                    for info in sorted(database.list_collections(), key=lambda info: str(info["name"]))
                ]
            )

    def mark_newer(self, *, readable: bool) -> None:
        change = {"version": 99} if readable else {"version": 99, "min_reader": 98, "min_writer": 98}
        with self._admin() as database:
            database["runstore_schema"].update_one({}, {"$set": change})
            database["runs"].update_many({}, {"$set": {"of_the_future": {"a": 1}}})
            database["collection_of_the_future"].insert_one({"_id": 1})

    def plant_foreign_schema(self) -> None:
        with self._admin() as database:
            database["runs"].insert_one({"_id": 7, "colour": "red"})
            database["experiments"].insert_one({"_id": 7, "shape": "round"})

    def damage_artifact(self, run_id: str, name: str) -> None:  # noqa: ARG002 - all bytes of this database
        with self._admin() as database:
            (chunks,) = (each for each in database.list_collection_names() if each.endswith(".chunks"))
            for chunk in database[chunks].find():
                damaged = bytes([chunk["data"][0] ^ 1]) + bytes(chunk["data"][1:])
                database[chunks].update_one({"_id": chunk["_id"]}, {"$set": {"data": damaged}})

    def age_artifacts(self, days: float) -> None:
        with self._admin() as database:
            for name in database.list_collection_names():
                if name.endswith(".files"):
                    older = {"$subtract": ["$uploadDate", round(days * 86_400e3)]}
                    database[name].update_many({}, [{"$set": {"uploadDate": older}}])

    def hold_lock(self, run_id: str, seconds: float) -> None:
        if not self._server.replica_set:
            raise Unsupported("a standalone server has no transaction that could hold a lock")
        holds = threading.Event()

        def hold() -> None:
            with self._server.client() as client, client.start_session() as session:
                database = client[database_of(self.url)]
                with session.start_transaction():
                    database["runs"].update_one({"_id": run_id}, {"$set": {"held": time.time()}}, session=session)
                    for name in database.list_collection_names():
                        if name == "run_series":
                            database[name].update_many({"run_id": run_id}, {"$set": {"held": 1}}, session=session)
                    holds.set()
                    time.sleep(seconds)
                    session.abort_transaction()

        rival = threading.Thread(target=hold, daemon=True)
        rival.start()
        self._rivals.append(rival)
        assert holds.wait(240), "the rival never got its lock"

    def open_with_password(self, password: str) -> Store:
        parts = urlsplit(self.url)
        return open_url(urlunsplit(parts._replace(netloc=f"stranger:{quote(password, safe='')}@{parts.netloc}")))

    def open_refused(self) -> Store:
        return self.open_with_password("wrong")

    def drop_connections(self) -> None:
        self._through_proxy().drop()

    def outage(self) -> AbstractContextManager[None]:
        return self._through_proxy().away()

    @contextmanager
    def cut_after(self, statements: int) -> Iterator[Callable[[], bool]]:
        try:
            with self._through_proxy().cut_after(statements) as was_cut:
                yield was_cut
        finally:
            # A transaction outlives its connection by up to a minute; the test need not wait for the server's broom.
            with self._server.client() as client:
                orphans = [{"id": session["lsid"]["id"]} for session in self._sessions_in_transactions()]
                if orphans:
                    client.admin.command("killSessions", orphans)

    def count_round_trips(self) -> AbstractContextManager[Callable[[], int]]:
        return self._through_proxy().counted()

    def restart(self) -> None:
        if self._owned is None:
            raise Unsupported("the server is shared")
        self._server.kill()
        self._server.start()

    def step_down(self) -> None:
        if not self._server.replica_set:
            raise Unsupported("a standalone server has no primary that could step down")
        with self._server.client() as client, suppress(pymongo.errors.AutoReconnect):
            client.admin.command("replSetStepDown", 10, secondaryCatchUpPeriodSecs=5)

    def _sessions_in_transactions(self) -> list[dict[str, Any]]:
        with self._server.client() as client:
            return list(
                client.admin.aggregate(
                    [
                        {"$currentOp": {"idleSessions": True, "allUsers": True}},
                        {"$match": {"transaction": {"$exists": True}, "appName": self._label}},
                    ]
                )
            )

    def _through_proxy(self) -> FaultProxy:
        if self._proxy is None:
            raise Unsupported("the connections do not pass through a proxy")
        return self._proxy

    @contextmanager
    def _admin(self) -> Iterator[Any]:
        with self._server.client() as client:
            yield client[database_of(self.url)]


def with_option(url: str, option: str) -> str:
    """The URL with one more option."""
    return f"{url}{'&' if '?' in url else '?'}{option}"


def _is_heartbeat(data: bytes) -> bool:
    return b"hello\x00" in data[:80] or b"ismaster\x00" in data[:80].lower()
