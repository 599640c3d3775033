"""What is changed about runs and experiments after they began, checked: what an editor's operations take."""

from collections.abc import Container, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final, Self

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from runstore.artifacts.blobs import Blobs
from runstore.backend.presence import Presence
from runstore.backend.times import ChangeTimes
from runstore.errors import InvalidValueError, RunDeletedError, RunNotFoundError
from runstore.local.clock import now_us
from runstore.model import Run, from_microseconds, to_microseconds
from runstore.values.checks import (
    check_flag,
    check_name,
    check_optional_name,
    check_optional_text,
    check_tags,
    check_time,
    shown,
)

KEPT_AFTER_DELETION: Final = timedelta(days=30)
"""How long a deleted run can be restored, unless :meth:`runstore.protocol.RunEditor.collect_garbage` is told otherwise."""


KEPT_WITHOUT_RECORD: Final = timedelta(days=1)
"""How long a file is kept that no record names: an artifact's bytes are kept first and its record is written last."""

_MICROSECOND: Final = timedelta(microseconds=1)
_DELETED: Final = "deleted"


class RunChange(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A change of one run; what is unset stays as it is. Applied twice it is applied once.

    Attributes:
        at_us: when it was asked for, in microseconds since 1970 UTC.
        name: the new name, ``None`` for none.
        note: the new note, ``None`` for none.
        new_tags: laid over the run's.
        gone_tags: keys of tags that are removed.
        is_archived: whether the run is put away. A run that is archived already keeps its time, and so does a deleted one.
        is_deleted: ``True`` deletes and ``False`` restores. Any other change of a deleted run is refused.
        is_late: it was kept in a journal for some time. Then it changes only what nobody has changed since ``at_us``.
    """

    at_us: int
    name: str | UnsetType | None = UNSET
    note: str | UnsetType | None = UNSET
    new_tags: dict[str, str] = {}
    gone_tags: tuple[str, ...] = ()
    is_archived: bool | UnsetType = UNSET
    is_deleted: bool | UnsetType = UNSET
    is_late: bool = False

    @classmethod
    def of_name(cls, name: object) -> Self:
        """The argument of ``rename_run``."""
        return cls(at_us=now_us(), name=check_optional_name(name, "name"))

    @classmethod
    def of_note(cls, note: object) -> Self:
        """The argument of ``set_note``; an empty note is none."""
        return cls(at_us=now_us(), note=check_optional_text(note, "note") or None)

    @classmethod
    def of_new_tags(cls, tags: Mapping[str, str]) -> Self:
        """The argument of ``set_tags``."""
        return cls(at_us=now_us(), new_tags=check_tags(tags))

    @classmethod
    def of_gone_tags(cls, keys: Iterable[str]) -> Self:
        """The argument of ``remove_tags``."""
        if isinstance(keys, (str, bytes)) or not isinstance(keys, Iterable):
            raise InvalidValueError(f"keys is {shown(keys)} of type {type(keys).__name__}; give a list of tag keys")
        gone = {check_name(key, f"keys[{index}]") for index, key in enumerate(keys)}
        return cls(at_us=now_us(), gone_tags=tuple(sorted(gone)))

    def check_presence(self, run_id: str, presence: Presence | None) -> None:
        """Refuses what there is no run for, and what a deleted run does not take.

        Raises:
            RunNotFoundError: the id was never a run's.
            RunDeletedError: the run is deleted and this is neither a deletion nor a restoration, or it is purged.
        """
        if presence is None:
            raise RunNotFoundError.of(run_id)
        is_refused = presence is Presence.DELETED and self.is_deleted is UNSET
        if is_refused or (presence is Presence.PURGED and self.is_deleted is not True):
            raise RunDeletedError.of(run_id, is_purged=presence is Presence.PURGED)

    def standing(self, changed: str | None, *, deleted_us: int | None) -> tuple[Self, str]:
        """What of the change stands, and the text that is kept with the run from then on.

        Args:
            changed: the text that is kept with the run: when each thing of it was changed last. ``None`` where there is
                none.
            deleted_us: when the run was deleted, if it is: with its experiment that may be, which leaves no other trace.
        """
        times = ChangeTimes.of(changed)
        if deleted_us is not None:
            times = times.with_change(deleted_us, [_DELETED])
        change = self._without_older(times) if self.is_late else self
        values = {
            "name": change.name,
            "note": change.note,
            "archived": change.is_archived,
            _DELETED: change.is_deleted,
        }
        what = [name for name, value in values.items() if value is not UNSET]
        return change, times.with_change(self.at_us, what, tags=change.new_tags, gone=change.gone_tags).text

    def _without_older(self, times: ChangeTimes) -> Self:
        """The change without what somebody has changed after it."""

        def is_older(what: str) -> bool:
            return times.is_newer(what, self.at_us)

        return replace(
            self,
            name=UNSET if is_older("name") else self.name,
            note=UNSET if is_older("note") else self.note,
            is_archived=UNSET if is_older("archived") else self.is_archived,
            is_deleted=UNSET if is_older(_DELETED) else self.is_deleted,
            new_tags={key: text for key, text in self.new_tags.items() if not times.is_tag_newer(key, self.at_us)},
            gone_tags=tuple(key for key in self.gone_tags if not times.is_tag_newer(key, self.at_us)),
        )

    def tags_over(self, tags: Mapping[str, str]) -> dict[str, str]:
        """A run's tags after the change.

        Raises:
            InvalidValueError: together they go over the bound.
        """
        return check_tags({key: value for key, value in {**tags, **self.new_tags}.items() if key not in self.gone_tags})

    def archived_us_over(self, archived_us: int | None) -> int | None:
        """When the run was archived, after the change."""
        return _moment_over(archived_us, self.is_archived, self.at_us)

    def deleted_us_over(self, deleted_us: int | None) -> int | None:
        """When the run was deleted, after the change."""
        return _moment_over(deleted_us, self.is_deleted, self.at_us)

    def over(self, run: Run) -> Run:
        """The run after the change, its deletion aside: for a backend that keeps each run as one value."""
        archived_us = self.archived_us_over(None if run.archived_at is None else to_microseconds(run.archived_at))
        return replace(
            run,
            name=run.name if self.name is UNSET else self.name,
            note=run.note if self.note is UNSET else self.note,
            tags=self.tags_over(run.tags),
            archived_at=None if archived_us is None else from_microseconds(archived_us),
        )


class ExperimentChange(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A change of one experiment; what is unset stays as it is.

    Attributes:
        at_us: when it was asked for, in microseconds since 1970 UTC.
        description: the new one, ``None`` for none.
        is_deleted: deletes the runs of the experiment. It is hidden itself until it is asked for, or a run begins in it.
        is_late: it was kept in a journal for some time. Then it changes only what nobody has changed since ``at_us``.
    """

    at_us: int
    description: str | UnsetType | None = UNSET
    is_deleted: bool = False
    is_late: bool = False

    @classmethod
    def of_description(cls, description: object) -> Self:
        """The argument of ``describe_experiment``."""
        return cls(at_us=now_us(), description=check_optional_text(description, "description"))

    def standing(self, described_us: int | None) -> tuple[Self, int | None]:
        """What of the change stands, and when the description was changed last, from then on.

        Args:
            described_us: when that was up to now; ``None`` for never.
        """
        if self.description is UNSET:
            return self, described_us
        known_us = self.at_us if described_us is None else described_us
        change = replace(self, description=UNSET) if self.is_late and known_us > self.at_us else self
        return change, max(known_us, self.at_us)

    def deletion_of(self, start_us: int) -> RunChange | None:
        """How a run of the experiment that began at ``start_us`` is deleted; ``None`` where it began after a late deletion."""
        if self.is_late and start_us > self.at_us:
            return None
        return RunChange(at_us=self.at_us, is_deleted=True, is_late=self.is_late)


class Thinning(Struct, frozen=True):
    """Which histories are thinned: those of runs that ended before this moment."""

    ended_before_us: int

    @classmethod
    def checked(cls, ended_before: datetime) -> Self:
        """The argument of ``thin_histories``."""
        return cls(check_time(ended_before, "ended_before"))


class Sweep(Struct, frozen=True, kw_only=True):
    """What a garbage collection is asked for.

    Attributes:
        deleted_before_us: runs that were deleted before this moment are purged.
        kept_before_us: files that were kept before this moment, and that no record names, are removed. Younger ones may
            be those of a call that has not written its record yet.
        owns_artifacts: whether no other store keeps its artifacts in the same place; ``None`` where the caller does not
            know. Then a place that was named is left alone, for other stores may keep theirs there.
        dry_run: only count.
    """

    deleted_before_us: int
    kept_before_us: int
    owns_artifacts: bool | None = None
    dry_run: bool

    @classmethod
    def checked(cls, deleted_before: datetime | None, *, owns_artifacts: object, dry_run: object) -> Self:
        """The arguments of ``collect_garbage``."""
        now = now_us()
        if deleted_before is None:
            before_us = now - KEPT_AFTER_DELETION // _MICROSECOND
        else:
            before_us = check_time(deleted_before, "deleted_before")
        return cls(
            deleted_before_us=before_us,
            kept_before_us=now - KEPT_WITHOUT_RECORD // _MICROSECOND,
            owns_artifacts=None if owns_artifacts is None else check_flag(owns_artifacts, "owns_artifacts"),
            dry_run=check_flag(dry_run, "dry_run"),
        )

    def collects_files(self, *, is_place_named: bool) -> bool:
        """Whether files that no record names are collected: by default where no other store can keep its own."""
        return not is_place_named if self.owns_artifacts is None else self.owns_artifacts

    def collect(self, blobs: Blobs, named: Container[str | None], *, is_place_named: bool) -> tuple[int, int]:
        """Removes the files that no record names, or only counts them.

        Args:
            blobs: where they are kept.
            named: the SHA-256 of all that a record names.
            is_place_named: whether whoever opened the store said where that is.

        Returns:
            How many there are, and their bytes together.
        """
        if not self.collects_files(is_place_named=is_place_named):
            return 0, 0
        found = [(sha256, size) for sha256, size in blobs.kept_before(self.kept_before_us) if sha256 not in named]
        if not self.dry_run:
            found = [each for each in found if blobs.remove(each[0], kept_before_us=self.kept_before_us)]
        return len(found), sum(size for _, size in found)


def _moment_over(stored_us: int | None, asked: bool | UnsetType, at_us: int) -> int | None:  # noqa: FBT001 - three-valued
    if asked is UNSET:
        return stored_us
    if not asked:
        return None
    return at_us if stored_us is None else stored_us
