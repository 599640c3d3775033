"""The two base classes: every store of ours is a :class:`Store`; a plugin's is a :class:`BackendStore`."""

from abc import abstractmethod
from types import TracebackType
from typing import Any, Final, Self

from runstore.artifacts.requests import ArtifactRequest, records_of
from runstore.backend.arguments import NewRun
from runstore.backend.editing import Edits
from runstore.backend.operations import Operations
from runstore.backend.presence import Presence, check_kept, not_shown
from runstore.backend.reading import Reads
from runstore.backend.writing import Verbs
from runstore.errors import RunDeletedError
from runstore.local.clock import now_us
from runstore.model import Artifact, from_microseconds
from runstore.protocol import RunEditor, RunReader, RunStore
from runstore.series.points import Points

_FINAL: Final = frozenset(
    name for part in (Verbs, Edits, Reads) for name, method in vars(part).items() if getattr(method, "__final__", False)
)


class Store(Verbs, Edits, Reads):
    """What :func:`runstore.open_store` returns: verbs, changes, reads and the heartbeat, with every argument checked in front.

    The public methods are final. What differs between a database and a recorder are the operations below them, which
    take checked values.
    """

    @abstractmethod
    def source(self) -> "BackendStore":
        """The backend that answers, ready to be asked."""

    def __init_subclass__(cls) -> None:
        """Refuses a class that overrides a final method: behind a recorder it would not be called."""
        super().__init_subclass__()
        for name in sorted(_FINAL & cls.__dict__.keys()):
            raise TypeError(
                f"{cls.__name__} overrides {name}, which is final: it checks the arguments for every backend. Implement "
                "the operation that it calls, see runstore.backend.Operations"
            )

    def __getstate__(self) -> dict[str, Any]:
        """What a copy in another process needs: not the runs that this handle has begun."""
        return {name: value for name, value in self.__dict__.items() if name != "begun"}

    @abstractmethod
    def close(self) -> None:
        """Gives back what the handle holds; closing twice is closing once. Later calls raise StoreClosedError."""

    def __enter__(self) -> Self:
        """The store itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends the runs that this handle began by what left the block, if anything did, and closes the store [FIN.7]."""
        self.begun.leave(self, error)
        self.close()


class BackendStore(Store, Operations):
    """A database that keeps runs: a plugin's ``open`` returns one. A class that lacks an operation cannot be made."""

    def begin_run(self, new: NewRun) -> None:
        """Makes the run or finds it, with :meth:`find_run`, :meth:`insert_run` and :meth:`reopen_run`."""
        if not (new.is_named and self._is_found(new)):
            if new.experiment_id is None and new.is_named and (presence := self.presence_of(new.id)) is not None:
                raise not_shown(new.id, presence)
            new.require_experiment()
            if self.insert_run(new):
                self.begun.add(new.id)
                return
            if not self._is_found(new):  # else another writer made it between the look and the insert
                raise RunDeletedError.of(new.id, is_purged=self.presence_of(new.id) is Presence.PURGED)
        if new.resume or not new.is_named:
            self.begun.add(new.id)

    def _is_found(self, new: NewRun) -> bool:
        known = self.find_run(new.id)
        if known is None:
            return False
        new.check_found(known.experiment_id)
        if new.resume and known.status.is_final:
            self.reopen_run(new.id)
        return True

    def take_points(self, run_id: str, points: Points) -> None:
        """Stores the points by series."""
        self.append(run_id, points.by_series())

    def keep_artifact(self, run_id: str, request: ArtifactRequest) -> Artifact:
        """Keeps the bytes of files in :attr:`blobs`, then the records."""
        check_kept(run_id, self.presence_of(run_id))
        artifact = request.record(run_id, self.blobs, created_at=from_microseconds(now_us()))
        self.record_artifacts(run_id, records_of(artifact))
        return artifact

    def source(self) -> "BackendStore":
        """The store itself."""
        return self


def _tell_what_the_protocols_say() -> None:
    """Lets ``help`` show the words of the protocols, which are written once."""
    for part, protocol in ((Verbs, RunStore), (Edits, RunEditor), (Reads, RunReader)):
        for name in sorted(_FINAL & vars(part).keys()):
            method = vars(part)[name]
            method.__doc__ = method.__doc__ or getattr(protocol, name).__doc__


_tell_what_the_protocols_say()
