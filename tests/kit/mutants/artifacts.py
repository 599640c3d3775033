"""Planted bugs in the artifacts (ART)."""

import os
from pathlib import Path
from typing import Any, BinaryIO

from msgspec.structs import replace

from kit.mutants.base import Mutant
from runstore.model import Artifact


class DotsInNamesAreKept(Mutant, breaks="ART.3"):
    def log_artifact(self, run_id: str, path: Any, *, name: str | None = None, **given: Any) -> Artifact:
        return super().log_artifact(run_id, path, name=name and name.replace("..", "__"), **given)


class RecordPointsAtTheOriginal(Mutant, breaks="ART.7"):
    def open_artifact(self, run_id: str, name: str) -> BinaryIO:
        super().open_artifact(run_id, name).close()
        return Path(self.database.__dict__["origins"][run_id, name]).open("rb")

    def log_artifact(self, run_id: str, path: Any, **given: Any) -> Artifact:
        record = super().log_artifact(run_id, path, **given)
        self.database.__dict__.setdefault("origins", {})[run_id, record.name] = path
        return record


class RecordComesBeforeTheBytes(Mutant, breaks="ART.2"):
    def log_artifact(self, run_id: str, path: Any, *, name: str | None = None, **given: Any) -> Artifact:
        folder = Path(path)
        if folder.is_dir():
            parts = [
                super(RecordComesBeforeTheBytes, self).log_artifact(
                    run_id, each, name=f"{name or folder.name}/{each.relative_to(folder).as_posix()}", **given
                )
                for each in sorted(folder.rglob("*"))
                if each.is_file()
            ]
            return replace(
                parts[0], name=name or folder.name, size=sum(each.size or 0 for each in parts), parts=tuple(parts)
            )
        return super().log_artifact(run_id, path, name=name, **given)


class BytesAreNotVerified(Mutant, breaks="ART.1"):
    def open_artifact(self, run_id: str, name: str) -> BinaryIO:
        record = next(each for each in self.list_artifacts(run_id) if each.name == name)
        return self._blobs.open(record.sha256 or "")


class SameNameIsKeptTwice(Mutant, breaks="ART.4"):
    def log_artifact(self, run_id: str, path: Any, *, name: str | None = None, **given: Any) -> Artifact:
        wanted = name or Path(path).name
        taken = {each.name for each in self.list_artifacts(run_id)}
        return super().log_artifact(run_id, path, name=f"{wanted}_1" if wanted in taken else wanted, **given)


class MissingFileIsIgnored(Mutant, breaks="ART.5"):
    def log_artifact(self, run_id: str, path: Any, *, copy: bool = True, **given: Any) -> Artifact:
        return super().log_artifact(run_id, path, copy=copy and Path(path).exists(), **given)


class _WalksByItself(Mutant):
    """Logs a folder file by file, each of those that ``files`` gives."""

    def files(self, folder: Path) -> list[Path]:
        raise NotImplementedError

    def log_artifact(self, run_id: str, path: Any, *, name: str | None = None, **given: Any) -> Artifact:
        folder = Path(path)
        if not folder.is_dir():
            return super().log_artifact(run_id, path, name=name, **given)
        parts = [
            super(_WalksByItself, self).log_artifact(
                run_id, each, name=f"{name or folder.name}/{each.relative_to(folder).as_posix()}", **given
            )
            for each in self.files(folder)
        ]
        return replace(parts[0], name=name or folder.name, parts=tuple(parts))


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
    def log_artifact(self, run_id: str, path: Any, *, copy: bool = True, **given: Any) -> Artifact:
        record = super().log_artifact(run_id, path, copy=copy, **given)
        if not copy or not Path(path).is_file():
            return record
        wrong = replace(record, size=Path(path).stat().st_size)
        self._entry(run_id).artifacts[record.name] = wrong
        return wrong


class ReferencesClaimToBeStored(Mutant, breaks="ART.6"):
    def list_artifacts(self, run_id: str) -> tuple[Artifact, ...]:
        return tuple(replace(each, is_stored=True) for each in super().list_artifacts(run_id))


class ArtifactsAreListedAsTheyCame(Mutant, breaks="ART.8"):
    def list_artifacts(self, run_id: str) -> tuple[Artifact, ...]:
        super().list_artifacts(run_id)
        return tuple(self._entry(run_id).artifacts.values())


class MetadataBecomesText(Mutant, breaks="ART.8"):
    def list_artifacts(self, run_id: str) -> tuple[Artifact, ...]:
        return tuple(
            replace(each, metadata={key: str(value) for key, value in each.metadata.items()})
            for each in super().list_artifacts(run_id)
        )
