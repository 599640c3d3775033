"""Planted bugs in the artifacts (ART)."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from msgspec.structs import replace

from kit.mutants.base import Front, Mutant
from runstore.artifacts import ArtifactRequest, Blob, Blobs
from runstore.model import Artifact


class DotsInNamesAreKept(Front, breaks="ART.3"):
    def log_artifact(self, run_id: str, path: Any, *, name: str | None = None, **given: Any) -> Artifact:
        return self.store.log_artifact(run_id, path, name=name and name.replace("..", "__"), **given)


class _References:
    """Remembers where files lie, instead of keeping their bytes."""

    def __init__(self, blobs: Blobs, origins: dict[str, Path]) -> None:
        self._blobs = blobs
        self._origins = origins

    def put(self, path: Path) -> Blob:
        blob = self._blobs.put(path)
        self._origins[blob.sha256] = path
        return blob

    def open(self, sha256: str) -> BinaryIO:
        return self._origins[sha256].open("rb")

    def kept_before(self, moment_us: int) -> Iterable[tuple[str, int]]:
        return self._blobs.kept_before(moment_us)

    def remove(self, sha256: str, *, kept_before_us: int) -> bool:
        return self._blobs.remove(sha256, kept_before_us=kept_before_us)


class RecordPointsAtTheOriginal(Mutant, breaks="ART.7"):
    @property
    def blobs(self) -> Blobs:
        return _References(super().blobs, self.database.__dict__.setdefault("origins", {}))


class BytesAreNotVerified(Front, breaks="ART.1"):
    def open_artifact(self, run_id: str, name: str) -> BinaryIO:
        record = next(each for each in self.store.list_artifacts(run_id) if each.name == name)
        return self.store.blobs.open(record.sha256 or "")


class SameNameIsKeptTwice(Mutant, breaks="ART.4"):
    def record_artifacts(self, run_id: str, records: Sequence[Artifact]) -> None:
        taken = {each.name for each in self.read_artifacts(run_id)}
        super().record_artifacts(
            run_id, [replace(each, name=f"{each.name}_1") if each.name in taken else each for each in records]
        )


class MissingFileIsIgnored(Front, breaks="ART.5"):
    def log_artifact(self, run_id: str, path: Any, *, copy: bool = True, **given: Any) -> Artifact:
        return self.store.log_artifact(run_id, path, copy=copy and Path(path).exists(), **given)


class _WalksByItself(Front):
    """Logs a folder file by file, each of those that ``files`` gives."""

    def files(self, folder: Path) -> list[Path]:
        raise NotImplementedError

    def log_artifact(self, run_id: str, path: Any, *, name: str | None = None, **given: Any) -> Artifact:
        folder = Path(path)
        if not folder.is_dir():
            return self.store.log_artifact(run_id, path, name=name, **given)
        parts = [
            self.store.log_artifact(
                run_id, each, name=f"{name or folder.name}/{each.relative_to(folder).as_posix()}", **given
            )
            for each in self.files(folder)
        ]
        return replace(parts[0], name=name or folder.name, parts=tuple(parts))


class RecordsComeOneByOne(_WalksByItself, breaks="ART.2"):
    """What was recorded before a bad file was met stays."""

    def files(self, folder: Path) -> list[Path]:
        return sorted(path for path in folder.rglob("*") if path.is_file() or path.is_symlink())


class LinkedFoldersAreLeftOut(_WalksByItself, breaks="ART.5"):
    def files(self, folder: Path) -> list[Path]:
        return [Path(place) / name for place, _, names in os.walk(folder) for name in names]


class OddFilesAreLeftOut(_WalksByItself, breaks="ART.5"):
    def files(self, folder: Path) -> list[Path]:
        found = [Path(place) / name for place, _, names in os.walk(folder, followlinks=True) for name in names]
        return [path for path in found if path.is_file()]


class CirclesAreFollowed(_WalksByItself, breaks="ART.5"):
    """As ``os.walk`` does, until the system says that there are too many links."""

    def files(self, folder: Path) -> list[Path]:
        return [Path(place) / name for place, _, names in os.walk(folder, followlinks=True) for name in names]


class SizeIsReadAfterTheBytes(Mutant, breaks="ART.9"):
    def keep_artifact(self, run_id: str, request: ArtifactRequest) -> Artifact:
        record = super().keep_artifact(run_id, request)
        if not request.is_copied or request.is_directory:
            return record
        wrong = replace(record, size=Path(request.uri).stat().st_size)
        self.record_artifacts(run_id, [wrong])
        return wrong


class ReferencesClaimToBeStored(Mutant, breaks="ART.6"):
    def read_artifacts(self, run_id: str) -> Sequence[Artifact]:
        return [replace(each, is_stored=True) for each in super().read_artifacts(run_id)]


class ArtifactsAreListedAsTheyCame(Mutant, breaks="ART.8"):
    def read_artifacts(self, run_id: str) -> Sequence[Artifact]:
        known = self.database.runs.get(run_id)
        return [] if known is None else list(known.artifacts.values())


class MetadataBecomesText(Mutant, breaks="ART.8"):
    def read_artifacts(self, run_id: str) -> Sequence[Artifact]:
        return [
            replace(each, metadata={key: str(value) for key, value in each.metadata.items()})
            for each in super().read_artifacts(run_id)
        ]
