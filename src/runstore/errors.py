"""The error tree: one root, a stable code each, named for what the caller can do next.

::

    RunStoreError                     anything below
    ├── InvalidValueError             (ValueError) mend the argument; nothing was written
    │   └── QueryError                a filter, an order or a cursor that cannot be understood
    ├── NotFoundError                 (LookupError) the thing asked for is not in this store
    │   ├── ExperimentNotFoundError
    │   ├── RunNotFoundError
    │   │   └── RunDeletedError       somebody deleted the run
    │   └── ArtifactNotFoundError
    ├── ConflictError                 what is stored says otherwise; nothing was changed
    │   └── RunFinalizedError         the run has ended with another status
    ├── StoreUnavailableError         try again: the database is away, busy or electing
    ├── StoreClosedError              this handle was closed; open another
    ├── ReadOnlyError                 this handle was opened to be read; open the store to write
    ├── StoreFailureError             the database refused, and trying again cannot mend it
    │   ├── StoreFullError            there is no room for it; nothing is wrong with what was sent
    │   └── CorruptArtifactError      bytes differ from their recorded SHA-256 or size
    ├── SchemaError                   this database cannot be used as it is; nothing was written
    │   ├── SchemaTooNewError         written by a newer release, in a way this one cannot read
    │   └── ForeignSchemaError        the tables of these names are not ours
    ├── SourceError                   a file to be imported or read cannot be; names the place
    ├── SettingsError                 no URL, or one that cannot be understood
    └── PluginError                   no backend can serve this URL
        ├── UnknownSchemeError
        ├── MissingDriverError        the backend is here, its driver is not: says what to install
        ├── SchemeConflictError       two plugins claim one scheme
        └── BrokenPluginError         the plugin failed to load

Every error keeps its arguments when pickled, so one raised in a worker process reads the same in its parent.
What a program can do about an error, the error says itself: :attr:`RunStoreError.is_mistake`,
:attr:`RunStoreError.is_transient` and :attr:`RunStoreError.needs_person`.
A driver's own error is always chained (``__cause__``) and never let through (clause ERR.1).
"""

from typing import ClassVar, Self


class RunStoreError(Exception):
    """Root of all errors that this package raises on purpose.

    Attributes:
        code: a stable, append-only name for programs (``"run_not_found"``); messages may change, codes do not.
        is_mistake: the call itself is wrong: an argument breaks a rule, or contradicts what is stored. The same call
            fails again, other calls do not.
        is_transient: the store is away or full. The same call may succeed later.
        needs_person: somebody must change the URL, the installation, the database or the program before anything helps.
    """

    code: ClassVar[str] = "runstore_error"
    is_mistake: ClassVar[bool] = False
    is_transient: ClassVar[bool] = False
    needs_person: ClassVar[bool] = False


class InvalidValueError(RunStoreError, ValueError):
    """An argument breaks a rule of the contract; the message names it and nothing was written."""

    code = "invalid_value"
    is_mistake = True


class QueryError(InvalidValueError):
    """A filter expression, an ordering or a page cursor cannot be understood.

    Attributes:
        unknown_field: the text that stands where a field belongs and is none, if that is what is wrong.
        advice: what may have been meant by it; the message ends so.
        position: the number of the character at which the text cannot be read on, from 0; ``None`` where the whole is refused.
    """

    code = "query"
    position: int | None = None
    unknown_field: str | None = None
    advice: str = ""


class NotFoundError(RunStoreError, LookupError):
    """Something asked for by name or id is not in this store."""

    code = "not_found"
    is_mistake = True


class ExperimentNotFoundError(NotFoundError):
    """No experiment has this id."""

    code = "experiment_not_found"

    @classmethod
    def of(cls, experiment_id: str) -> Self:
        """The error for an id that no experiment has."""
        return cls(
            f"no experiment has the id {experiment_id!r}; "
            "make one with get_or_create_experiment(name), which returns its id"
        )


class RunNotFoundError(NotFoundError):
    """No run has this id."""

    code = "run_not_found"

    @classmethod
    def of(cls, run_id: str, role: str = "run") -> Self:
        """The error for an id that no run has; ``role`` is ``"parent run"`` for a parent."""
        return cls(
            f"no {role} has the id {run_id!r} in this store; give the whole id, as search_runs and `runstore runs` show it, "
            f"or resolve_run({run_id!r}), which finds a run by its name or a part of its id; "
            f"start_run(experiment, run_id={run_id!r}) begins it"
        )


class RunDeletedError(RunNotFoundError):
    """The run was deleted: it does not come back by being written to."""

    code = "run_deleted"

    @classmethod
    def of(cls, run_id: str, role: str = "run", *, is_purged: bool = False) -> Self:
        """The error for a run that was deleted; ``role`` as for :class:`RunNotFoundError`."""
        if is_purged:
            return cls(
                f"the {role} {run_id!r} was deleted, and its data were removed for good: it is too late for restore_run; "
                "a new run takes another id"
            )
        return cls(
            f"the {role} {run_id!r} was deleted; restore_run({run_id!r}) brings it back as long as its data are kept, "
            "as `runstore restore` does; a new run takes another id"
        )


class ArtifactNotFoundError(NotFoundError):
    """The run has no artifact of this name, or its bytes are not kept by the store."""

    code = "artifact_not_found"

    @classmethod
    def of(cls, run_id: str, name: str) -> Self:
        """The error for a name that no artifact of the run has."""
        return cls(f"run {run_id!r} has no artifact {name!r}; list_artifacts and `runstore show` give the names it has")


class ConflictError(RunStoreError):
    """The call contradicts what is stored; nothing was changed."""

    code = "conflict"
    is_mistake = True


class RunFinalizedError(ConflictError):
    """The run has already ended with another status; only ``ensure_run(resume=True)`` reopens it."""

    code = "run_finalized"

    @classmethod
    def of(cls, run_id: str, *, found: str, asked: str) -> Self:
        """The error for a run that has ended as ``found`` and was to end as ``asked``."""
        return cls(
            f"run {run_id!r} was to end as {asked!s} but has already ended as {found!s}; "
            f"start_run(resume={run_id!r}) opens it again if it goes on"
        )


class StoreUnavailableError(RunStoreError):
    """The database cannot be reached, is busy or has no primary: the same call may succeed later."""

    code = "store_unavailable"
    is_transient = True


class StoreClosedError(RunStoreError):
    """This handle was closed; open another."""

    code = "store_closed"


class ReadOnlyError(RunStoreError):
    """This handle was opened by ``open_reader``, and a verb writes; open the store with ``open_store``."""

    code = "read_only"
    needs_person = True

    @classmethod
    def of(cls, verb: str) -> Self:
        """The error for a verb of a store that was opened to be read."""
        return cls(
            f"{verb} writes, and this store was opened by open_reader, to be read; open it with open_store(url) to write"
        )


class StoreFailureError(RunStoreError):
    """The database refused the call, and trying again cannot mend it (permissions, disk full, ...)."""

    code = "store_failure"
    needs_person = True


class StoreFullError(StoreFailureError):
    """The database has no room left: it takes the same call once somebody has made some."""

    code = "store_full"
    is_transient = True


class CorruptArtifactError(StoreFailureError):
    """Bytes read back differ from the recorded SHA-256 or size."""

    code = "corrupt_artifact"


class SchemaError(RunStoreError):
    """This database cannot be used as it stands; nothing was written to it."""

    code = "schema"
    needs_person = True


class SchemaTooNewError(SchemaError):
    """A newer release wrote this database in a way that this release cannot read; names both versions."""

    code = "schema_too_new"


class ForeignSchemaError(SchemaError):
    """The database holds tables of our names that are not ours; it was left untouched."""

    code = "foreign_schema"


class SourceError(RunStoreError):
    """A file to be imported, or read as predictions or as a round, is of no format that is known, or damaged; the message names the place."""

    code = "source"
    is_mistake = True


class SettingsError(RunStoreError):
    """No store URL was found, or the one found cannot be understood."""

    code = "settings"
    needs_person = True


class PluginError(RunStoreError):
    """No backend can serve the URL."""

    code = "plugin"
    needs_person = True


class UnknownSchemeError(PluginError):
    """No installed backend claims the URL's scheme."""

    code = "unknown_scheme"


class MissingDriverError(PluginError):
    """The backend is known but its driver is not installed; the message says what to install."""

    code = "missing_driver"


class SchemeConflictError(PluginError):
    """Two plugins claim one scheme; the message names both."""

    code = "scheme_conflict"


class BrokenPluginError(PluginError):
    """A plugin failed to load; the cause is chained."""

    code = "broken_plugin"
