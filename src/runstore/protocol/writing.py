"""What a training run writes through: six verbs and ``close``."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from os import PathLike
from types import TracebackType
from typing import Any, Protocol, Self, runtime_checkable

from runstore.model import Artifact, MetricPoint, RunFailure, RunStatus


@runtime_checkable
class RunStore(Protocol):
    """Where a training run writes: six verbs and ``close``.

    Any verb may raise :class:`~runstore.errors.StoreUnavailableError` (try again),
    :class:`~runstore.errors.StoreFailureError` (trying again cannot help) and
    :class:`~runstore.errors.StoreClosedError`; what else it raises is listed with it. A verb that raises has changed
    nothing.
    """

    def get_or_create_experiment(self, name: str, *, description: str | None = None) -> str:
        """The id of the experiment of this name, created if need be.

        The id is derived from the name, so it is the same in every store [EXP.1]. The first description wins [EXP.4].

        Raises:
            InvalidValueError: the name is empty, over 255 characters or holds control characters [EXP.3].
        """
        ...

    def ensure_run(  # noqa: PLR0913 - the run's whole birth certificate, keyword-only
        self,
        experiment_id: str | None = None,
        *,
        run_id: str | None = None,
        training_mode: str = "centralized",
        parent_run_id: str | None = None,
        client_id: str | None = None,
        name: str | None = None,
        source_path: str | None = None,
        tags: Mapping[str, str] | None = None,
        provenance: Mapping[str, Any] | None = None,
        start_time: datetime | None = None,
        resume: bool = False,
    ) -> str:
        """The id of a run that exists once this call has returned.

        Without ``run_id`` a new run is made, ``in_progress``, under a new time-ordered id [RUN.1]. With the id of an
        existing run nothing changes and the id is returned [RUN.2]; with ``resume=True`` an ended run is reopened as a
        new attempt [RUN.6]. With an unknown id a run is created under that id [RUN.3].

        Args:
            experiment_id: needed when a run must be created.
            run_id: 1-255 printable characters, chosen by the caller.
            training_mode: ``"centralized"``, ``"federated"`` or another word of 1-50 characters.
            parent_run_id: an existing run of the same store [RUN.7].
            client_id: which member of a federation this run belongs to.
            name: a label for people.
            source_path: where the data came from.
            tags: short texts by key.
            provenance: host, process, versions; nested and typed like a config [RUN.8].
            start_time: aware; the moment of the call by default.
            resume: reopen the run if it has ended.

        Raises:
            InvalidValueError: a run must be created and ``experiment_id`` is missing [RUN.4], or an argument is bad.
            ExperimentNotFoundError: ``experiment_id`` is unknown.
            RunNotFoundError: ``parent_run_id`` is unknown.
            ConflictError: the run exists under another experiment [RUN.5].
        """
        ...

    def log_metrics(self, run_id: str, points: Iterable[MetricPoint]) -> None:
        """Stores all of the points or none [MET.7]; sending them again changes nothing [MET.1].

        Raises:
            InvalidValueError: names the index and the field, as in ``points[3].value`` [MET.4].
            RunNotFoundError: no such run; nothing is stored [MET.2].
        """
        ...

    def log_config(self, run_id: str, config: Mapping[str, Any]) -> None:
        """Merges a nested, typed mapping into the run's config, key by key; the last value wins [CFG.2].

        Raises:
            InvalidValueError: names the path of a value that cannot be kept; nothing of the call is stored [CFG.4].
            RunNotFoundError: no such run.
        """
        ...

    def log_artifact(  # noqa: PLR0913 - keyword-only past the file itself
        self,
        run_id: str,
        path: str | PathLike[str],
        *,
        name: str | None = None,
        artifact_type: str = "file",
        copy: bool = True,
        metadata: Mapping[str, Any] | None = None,
    ) -> Artifact:
        """Keeps a file's bytes, or each file of a directory, and then records it [ART.2].

        The file may change or vanish once the call has returned [ART.7]. With ``copy=False`` only the path or URI is
        recorded [ART.6].

        Args:
            run_id: the run it belongs to.
            path: a file, or a directory (logged file by file under ``name/``).
            name: a relative POSIX path; the file's own name by default. The same name again replaces the record.
            artifact_type: a word of 1-50 characters: ``"file"``, ``"model"``, ``"image"``, ``"log"``, ...
            copy: whether the store keeps the bytes.
            metadata: nested and typed like a config: a checkpoint's score, epoch, step, role.

        Returns:
            The record. For a directory: one that sums up its files, which stand in ``parts``.

        Raises:
            InvalidValueError: the name leaves the artifact root or is malformed [ART.3], or the path is missing
                [ART.5].
            RunNotFoundError: no such run.
        """
        ...

    def finalize(
        self,
        run_id: str,
        status: RunStatus | str,
        *,
        end_time: datetime | None = None,
        error: BaseException | RunFailure | None = None,
    ) -> None:
        """Ends a run, once and truthfully: ``completed``, ``failed`` or ``interrupted`` [FIN.1].

        The same status again changes nothing [FIN.2].

        Args:
            run_id: the run.
            status: a terminal status.
            end_time: aware; the moment of the call by default, and never before the start [FIN.3].
            error: what ended it; its type, message and traceback are kept [FIN.4].

        Raises:
            InvalidValueError: the status is not terminal, or ``end_time`` lies before the start.
            RunNotFoundError: no such run.
            RunFinalizedError: the run has ended with another status; nothing was changed.
        """
        ...

    def close(self) -> None:
        """Gives back what the handle holds; closing twice is closing once. Later calls raise StoreClosedError."""
        ...

    def __enter__(self) -> Self:
        """The store itself."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends the runs that this handle began by what left the block, if anything did, and closes the store [FIN.7]."""
        ...
