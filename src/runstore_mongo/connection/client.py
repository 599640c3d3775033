"""One client a process, errors in our words, bounded retries and transactions.

A connection is made at the first use in each process, so that a store may be pickled, and used after ``fork`` or
``spawn`` (OPEN.5). What fails for a while (an election, a dropped connection, a write conflict) is tried again from the
start a bounded number of times (DUR.4): every operation given to :meth:`Connection.call` must therefore be idempotent.
"""

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
from runstore.local.processes import PerProcess
from runstore.secrets import Secrets, redact_word, split_url, without_secrets
from runstore.urls import with_plain_scheme
from runstore_mongo.connection.refusals import is_turned_away
from runstore_mongo.connection.urls import check_options, database_of, options_of
from runstore_mongo.documents.names import Document

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


class _Link:
    """What one process has of a connection.

    Attributes:
        abandoned: sessions whose transaction the server may not know to have ended.
    """

    def __init__(self, client: MongoClient[Document], name: str) -> None:
        self.client = client
        self.database = client.get_database(name, read_preference=ReadPreference.PRIMARY)
        self.collections: dict[str, Collection[Document]] = {}
        self.abandoned: list[Mapping[str, Any]] = []


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
        self._links = PerProcess(self._connect)
        self._hello: Document | None = None
        self._is_closed = False

    @property
    def client(self) -> MongoClient[Document]:
        """This process's client."""
        return self._link.client

    @property
    def _link(self) -> "_Link":
        if self._is_closed:
            raise StoreClosedError(f"this store on {self.shown} was closed; open another")
        return self._links.get()

    def _connect(self) -> "_Link":
        try:
            for name, value in split_url(self.url).options:
                if unquote(name).lower() == "authmechanismproperties":
                    split_options(f"{name}={value}")  # raises; the client would warn, and show a part of the secret
            return _Link(MongoClient(self.url, **self._options), self._name)
        except (ConfigurationError, InvalidURI, ValueError) as error:
            failed = self._refused(error)
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
        return self._link.database

    def collection(self, name: str) -> Collection[Document]:
        """A collection of the database."""
        link = self._link
        found = link.collections.get(name)
        if found is None:
            found = link.collections[name] = link.database[name]
        return found

    @property
    def has_transactions(self) -> bool:
        """Whether the server is a replica set or a sharded cluster; a standalone one has no transactions."""
        return "setName" in self._greeting() or self.is_sharded

    @property
    def has_snapshots(self) -> bool:
        """Whether reads can be of one moment that holds all that was acknowledged.

        A standalone server has no such reads, and what was written with ``w=1`` in the URL may not be in them yet.
        """
        return self.has_transactions and self.database.write_concern.document.get("w") == "majority"

    def weak_concern(self) -> str | None:
        """What is weak about the URL's write concern, for people; ``None`` where what it acknowledges survives an election."""
        asked, hello = self.database.write_concern.document.get("w"), self._greeting()
        nodes = sum(len(hello.get(kind, ())) for kind in ("hosts", "passives", "arbiters"))
        if not isinstance(asked, int) or nodes <= 1 or asked > nodes // 2:
            return None
        return (
            f"w={asked} in {self.shown} acknowledges what {asked} of {nodes} nodes {'has' if asked == 1 else 'have'}: it may be "
            "gone after an election; take it out of the URL, and w=majority is used"
        )

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
        link = self._link
        with link.client.start_session() as session:
            try:
                with session.start_transaction(read_concern=ReadConcern("snapshot"), write_concern=concern):
                    return body(session)
            except ConnectionFailure:
                # The server may not have heard of the end, and would hold what was written for a minute.
                link.abandoned.append(session.session_id)
                raise

    def read_at_once(self, body: Callable[[Session], ResultT]) -> ResultT:
        """What ``body`` reads, all of one moment where the server can (not a standalone one): no half of a batch."""
        if not self.has_transactions:
            return body(None)
        with self.client.start_session(snapshot=True) as session:
            return body(session)

    def close(self) -> None:
        """Closes this process's client."""
        if not self._is_closed:
            self._end_abandoned()
        self._is_closed = True
        link = self._links.take()
        if link is not None:
            link.client.close()

    def _clear_way(self, state: tenacity.RetryCallState) -> None:
        """Before another try: ends what keeps others waiting, once a conflict has lasted longer than a transaction."""
        self._end_abandoned()
        error = state.outcome.exception() if state.outcome else None
        if (
            (state.seconds_since_start or 0.0) > _IDLE_S
            and isinstance(error, PyMongoError)
            and not isinstance(error, ConnectionFailure)
        ):
            with suppress(PyMongoError):  # without the right to look, the server's own limit of a minute ends it
                self._link.abandoned.extend(self._left_by_the_dead())
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
        link = self._links.found()
        if link is None or not link.abandoned:
            return
        sessions, link.abandoned = link.abandoned, []
        try:
            link.client.admin.command("killSessions", sessions)
        except ConnectionFailure:
            link.abandoned += sessions
        except PyMongoError:
            return  # not allowed here: the server's own limit of a minute ends them

    def _may_pass(self, error: BaseException) -> bool:
        if isinstance(error, ServerSelectionTimeoutError):
            # Nobody answered for the whole selection timeout: that is an answer. With a set in sight but no primary
            # an election is under way.
            link = self._links.found()
            return link is not None and any(
                server.server_type_name.startswith("RS")
                for server in link.client.topology_description.server_descriptions().values()
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
        link = self._links.found()
        if (
            isinstance(error, ServerSelectionTimeoutError)
            and link is not None
            and is_turned_away(link.client.topology_description)
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
                f"{found}; ask whoever runs the server for the role readWrite on this database, or read to look at it only; a "
                "store that is not there yet, or not up to date, is made by `runstore migrate upgrade` of somebody who may"
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
