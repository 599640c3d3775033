"""One client a process, errors in our words, bounded retries and transactions.

A connection is made at the first use in each process, so that a store may be pickled, and used after ``fork`` or
``spawn`` (OPEN.5). What fails for a while (an election, a dropped connection, a write conflict) is tried again from the
start a bounded number of times (DUR.4): every operation given to :meth:`Connection.call` must therefore be idempotent.
"""

import os
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final, TypeVar
from urllib.parse import unquote

import tenacity
from bson.errors import BSONError
from pymongo import MongoClient
from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import (
    BulkWriteError,
    ConfigurationError,
    ConnectionFailure,
    InvalidURI,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
)
from pymongo.read_concern import ReadConcern
from pymongo.read_preferences import ReadPreference
from pymongo.uri_parser import split_options
from pymongo.write_concern import WriteConcern

from runstore.errors import (
    RunStoreError,
    SettingsError,
    StoreClosedError,
    StoreFailureError,
    StoreFullError,
    StoreUnavailableError,
)
from runstore.secrets import Secrets, redact_word, split_url, without_secrets
from runstore.urls import with_plain_scheme
from runstore_mongo.refusals import is_turned_away
from runstore_mongo.urls import check_options, database_of, options_of

Document = dict[str, Any]
Session = ClientSession | None
ResultT = TypeVar("ResultT")

DUPLICATE_KEY: Final = 11000

_MOST_ATTEMPTS: Final = 60
_LONGEST_S: Final = 20.0
"""A replica set with the server's own defaults elects a new primary within 10 to 12 seconds."""

_IDLE_S: Final = 5.0
"""A transaction of ours that has stood still for so long was left by a dead process: ours last milliseconds."""

_TRANSIENT_CODES: Final = frozenset(
    {
        6,  # HostUnreachable
        7,  # HostNotFound
        24,  # LockTimeout
        50,  # MaxTimeMSExpired
        64,  # WriteConcernFailed: written, but not yet by a majority
        89,  # NetworkTimeout
        91,  # ShutdownInProgress
        112,  # WriteConflict
        189,  # PrimarySteppedDown
        225,  # TransactionTooOld
        246,  # SnapshotUnavailable
        251,  # NoSuchTransaction: the primary that knew it is gone
        262,  # ExceededTimeLimit
        276,  # IndexBuildAborted
        290,  # TransactionExceededLifetimeLimitSeconds
        9001,  # SocketException
        10107,  # NotWritablePrimary
        11600,  # InterruptedAtShutdown
        11601,  # Interrupted: the session was ended while it looked abandoned
        11602,  # InterruptedDueToReplStateChange
        13435,  # NotPrimaryNoSecondaryOk
        13436,  # NotPrimaryOrSecondary
    }
)

_AUTHENTICATION_FAILED: Final = frozenset({18, 8000})  # the second one is Atlas's
_UNAUTHORIZED: Final = 13
_AT_THE_DOOR: Final = _AUTHENTICATION_FAILED | {_UNAUTHORIZED}
_OUT_OF_DISK_SPACE: Final = 14031
_TRANSIENT_LABELS: Final = ("TransientTransactionError", "UnknownTransactionCommitResult", "RetryableWriteError")


class ConflictingWriteError(Exception):
    """Another writer was faster: what was read is no longer what is stored. Read again and repeat."""


class Connection:
    """The database that a URL names, for one handle."""

    def __init__(self, url: str) -> None:
        """Connects to nothing yet.

        Raises:
            SettingsError: the URL names no database or cannot be understood.
        """
        self.url = with_plain_scheme(url)
        self.shown = redact_word(url)
        self._secrets = Secrets(url)
        self._name = database_of(url)
        check_options(url)
        self._options = options_of(url)
        self._lock = threading.Lock()
        self._client: MongoClient[Document] | None = None
        self._pid = 0
        self._database: Database[Document] | None = None
        self._collections: dict[str, Collection[Document]] = {}
        self._left_behind: list[MongoClient[Document]] = []
        self._hello: Document | None = None
        self._abandoned: list[Mapping[str, Any]] = []
        self._is_closed = False

    @property
    def client(self) -> MongoClient[Document]:
        """This process's client."""
        if self._is_closed:
            raise StoreClosedError(f"this store on {self.shown} was closed; open another")
        pid = os.getpid()
        if self._client is None or self._pid != pid:
            if self._pid not in {0, pid}:  # forked: the parent may have held the lock, and its sockets are its own
                self._lock = threading.Lock()
            with self._lock:
                if self._client is None or self._pid != pid:
                    self._connect(pid)
        assert self._client is not None  # noqa: S101 - made above
        return self._client

    def _connect(self, pid: int) -> None:
        if self._client is not None:
            # Kept and never closed: closing, or collecting, a parent's client in a child ends its server sessions.
            self._left_behind.append(self._client)
        try:
            for name, value in split_url(self.url).options:
                if unquote(name).lower() == "authmechanismproperties":
                    split_options(f"{name}={value}")  # raises; the client would warn, and show a part of the secret
            self._client = MongoClient(self.url, **self._options)
        except (ConfigurationError, InvalidURI, ValueError) as error:
            failed = self._refused(error)
        else:
            self._pid = pid
            return
        raise failed  # not where it was caught, see call

    def _refused(self, error: Exception) -> RunStoreError:
        """What the driver says of the URL, before it connects to anything."""
        failed: RunStoreError
        if self.url.lower().startswith("mongodb+srv") and "DNS" in str(error):
            failed = StoreUnavailableError(
                f"could not look up the hosts of {self.shown}: {error}; check the name and the network"
            )
        else:
            failed = SettingsError(f"the store URL {self.shown} cannot be used: {error}")
        failed.__cause__ = error
        return without_secrets(failed, self._secrets)

    @property
    def database(self) -> Database[Document]:
        """This process's database, read from its primary whatever the URL says: a store reads what it wrote."""
        client = self.client
        if self._database is None or self._database.client is not client:
            self._collections = {}
            self._database = client.get_database(self._name, read_preference=ReadPreference.PRIMARY)
        return self._database

    def collection(self, name: str) -> Collection[Document]:
        """A collection of the database."""
        database = self.database  # of this process
        found = self._collections.get(name)
        if found is None:
            found = self._collections[name] = database[name]
        return found

    @property
    def has_transactions(self) -> bool:
        """Whether the server is a replica set or a sharded cluster; a standalone one has no transactions."""
        return "setName" in self._greeting() or self.is_sharded

    @property
    def is_sharded(self) -> bool:
        """Whether documents may lie on several shards."""
        return self._greeting().get("msg") == "isdbgrid"

    def _greeting(self) -> Document:
        if self._hello is None:
            self._hello = self.client.admin.command("hello")
        return self._hello

    def call(self, asked: str, operation: Callable[[], ResultT]) -> ResultT:
        """What an idempotent operation gives, tried again while its failure is of the passing kind.

        Args:
            asked: completes "could not ..." in errors.
            operation: any number of commands; may raise :class:`ConflictingWriteError`.

        Raises:
            StoreUnavailableError: the database is away or busy for longer than the retries last.
            StoreFailureError: it refused.
        """
        try:
            if self._abandoned:
                self._end_abandoned()
            try:
                return operation()  # nearly always all there is to it: what follows costs as much as a small command
            except Exception as error:
                if not self._may_pass(error):
                    raise
            return self._again(operation)
        except RunStoreError:
            raise
        except ConflictingWriteError as error:
            raise StoreUnavailableError(
                f"could not {asked} in {self.shown}: other writers kept changing the same records; try again"
            ) from error
        except (PyMongoError, BSONError) as error:
            failed = self._translated(asked, error)
        raise failed  # not where it was caught: the driver's error may hold a secret, and would be kept as context

    def _again(self, operation: Callable[[], ResultT]) -> ResultT:
        if self._abandoned:
            self._end_abandoned()
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(self._may_pass),
            stop=tenacity.stop_after_attempt(_MOST_ATTEMPTS) | tenacity.stop_after_delay(_LONGEST_S),
            wait=tenacity.wait_random_exponential(multiplier=0.01, max=0.5),
            before_sleep=self._clear_way,
            reraise=True,
        )
        return retrying(operation)

    def transact(self, body: Callable[[Session], ResultT]) -> ResultT:
        """What ``body`` gives, run in one transaction where the server has them, and plainly where it has none."""
        if not self.has_transactions:
            return body(None)
        concern = WriteConcern("majority", j=True)
        with self.client.start_session() as session:
            try:
                with session.start_transaction(read_concern=ReadConcern("snapshot"), write_concern=concern):
                    return body(session)
            except ConnectionFailure:
                # The server may not have heard of the end, and would hold what was written for a minute.
                self._abandoned.append(session.session_id)
                raise

    def read_at_once(self, body: Callable[[Session], ResultT]) -> ResultT:
        """What ``body`` reads, all of one moment where the server can (not a standalone one): no half of a batch."""
        if not self.has_transactions:
            return body(None)
        with self.client.start_session(snapshot=True) as session:
            return body(session)

    def close(self) -> None:
        """Closes this process's client."""
        if self._abandoned and self._pid == os.getpid() and not self._is_closed:
            self._end_abandoned()
        self._is_closed = True
        client, self._client = self._client, None
        if client is not None and self._pid == os.getpid():
            client.close()
        elif client is not None:
            self._left_behind.append(client)

    def _clear_way(self, state: tenacity.RetryCallState) -> None:
        """Before another try: ends what keeps others waiting, once a conflict has lasted longer than a transaction."""
        if self._abandoned:
            self._end_abandoned()
        error = state.outcome.exception() if state.outcome else None
        if (
            (state.seconds_since_start or 0.0) > _IDLE_S
            and isinstance(error, PyMongoError)
            and not isinstance(error, ConnectionFailure)
        ):
            with suppress(PyMongoError):  # without the right to look, the server's own limit of a minute ends it
                self._abandoned += self._left_by_the_dead()
                self._end_abandoned()

    def _left_by_the_dead(self) -> list[Mapping[str, Any]]:
        """Sessions of stores on this deployment whose transaction has stood still: their process was killed in it."""
        stages: list[Document] = [
            {"$currentOp": {"idleSessions": True}},
            {
                "$match": {
                    "type": "idleSession",
                    "appName": self.client.options.pool_options.appname,
                    "transaction.timeInactiveMicros": {"$gt": int(_IDLE_S * 1e6)},
                }
            },
        ]
        return [{"id": found["lsid"]["id"]} for found in self.client.admin.aggregate(stages)]

    def _end_abandoned(self) -> None:
        """Tells the server that these transactions will not go on."""
        sessions, self._abandoned = self._abandoned, []
        try:
            self.client.admin.command("killSessions", sessions)
        except ConnectionFailure:
            self._abandoned += sessions
        except PyMongoError:
            return  # not allowed here: the server's own limit of a minute ends them

    def _may_pass(self, error: BaseException) -> bool:
        if isinstance(error, ServerSelectionTimeoutError):
            # Nobody answered for the whole selection timeout: that is an answer. With a set in sight but no primary
            # an election is under way.
            return self._client is not None and any(
                server.server_type_name.startswith("RS")
                for server in self._client.topology_description.server_descriptions().values()
            )
        return isinstance(error, ConflictingWriteError) or is_transient(error)

    def _translated(self, asked: str, error: Exception) -> RunStoreError:
        failed = self._named(asked, error)
        failed.__cause__ = error
        if isinstance(error, ConnectionFailure) or getattr(error, "code", None) in _AT_THE_DOOR:
            error.__traceback__ = None  # nothing was done yet: fifty lines of the driver's say nothing more
        return without_secrets(failed, self._secrets)

    def _named(self, asked: str, error: Exception) -> RunStoreError:
        said = str(error).partition(", Timeout: ")[0]  # behind it stands the whole topology
        found = f"could not {asked} in {self.shown}: {type(error).__name__}: {said}"
        if (
            isinstance(error, ServerSelectionTimeoutError)
            and self._client is not None
            and is_turned_away(self._client.topology_description)
        ):
            return StoreFailureError(
                f"{found}; the hosts answer, and not as the URL asks: check the set's name (replicaSet) and TLS (tls, tlsCAFile)"
            )
        if is_transient(error):
            return StoreUnavailableError(
                f"{found}; is the server running and reachable, and does it want TLS (?tls=true)? The same call may succeed later"
            )
        if getattr(error, "code", None) == _OUT_OF_DISK_SPACE:
            return StoreFullError(f"{found}; the server's disk is full; free some space")
        if getattr(error, "code", None) in _AUTHENTICATION_FAILED:
            return StoreFailureError(
                f"{found}; check user and password, and the database they are kept in (authSource)"
            )
        if getattr(error, "code", None) == _UNAUTHORIZED:
            return StoreFailureError(
                f"{found}; ask whoever runs the server for the role readWrite on this database, or read to look at it only"
            )
        return StoreFailureError(f"{found}; check the user's rights, the server's disk and its log")


def is_transient(error: BaseException) -> bool:
    """Whether the same operation may succeed later."""
    if isinstance(error, ConnectionFailure):
        return True
    if isinstance(error, PyMongoError) and any(error.has_error_label(label) for label in _TRANSIENT_LABELS):
        return True
    if isinstance(error, BulkWriteError):
        details: Document = dict(error.details or {})
        failures = [*details.get("writeErrors", ()), *details.get("writeConcernErrors", ())]
        return bool(failures) and all(failure.get("code") in _TRANSIENT_CODES for failure in failures)
    return isinstance(error, OperationFailure) and error.code in _TRANSIENT_CODES


def is_duplicate(error: PyMongoError) -> bool:
    """Whether a write failed only because a document of the same identity is already there."""
    if isinstance(error, BulkWriteError):
        failures = dict(error.details or {}).get("writeErrors", ())
        return bool(failures) and all(failure.get("code") == DUPLICATE_KEY for failure in failures)
    return isinstance(error, OperationFailure) and error.code == DUPLICATE_KEY
