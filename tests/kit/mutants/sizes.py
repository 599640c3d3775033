"""Planted bugs in the bounds of one record (RUN.11, CFG.7, ART.10, FIN.8)."""

from collections.abc import Mapping
from os import PathLike
from typing import Any

from msgspec.structs import replace

from kit.mutants.base import Mutant
from runstore.errors import InvalidValueError
from runstore.model import Artifact, Run, RunStatus
from runstore.values import ConfigDocument


class PathsAreShortened(Mutant, breaks="RUN.11"):
    def get_run(self, run_id: str) -> Run:
        run = super().get_run(run_id)
        return replace(run, source_path=run.source_path and run.source_path[:16_383])


class ConfigsOfTwoMebibytesAreRefused(Mutant, breaks="CFG.7"):
    def log_config(self, run_id: str, config: Mapping[str, Any]) -> None:
        super().log_config(run_id, config)
        if len(self._entry(run_id).config.text) > 2 * 2**20:
            raise InvalidValueError("the packet is too large")


class ConfigsGrowForEver(Mutant, breaks="CFG.7"):
    def log_config(self, run_id: str, config: Mapping[str, Any]) -> None:
        try:
            super().log_config(run_id, config)
        except InvalidValueError:
            self._entry(run_id).config = ConfigDocument("{}")
            super().log_config(run_id, config)


class MetadataIsLeftOutWhereItIsLarge(Mutant, breaks="ART.10"):
    def log_artifact(
        self, run_id: str, path: str | PathLike[str], *, metadata: Mapping[str, Any] | None = None, **given: Any
    ) -> Artifact:
        return super().log_artifact(run_id, path, metadata=metadata if len(str(metadata)) < 65_535 else None, **given)


class LongFailuresAreRefused(Mutant, breaks="FIN.8"):
    def finalize(self, run_id: str, status: RunStatus | str, *, error: Any = None, **given: Any) -> None:
        if len(getattr(error, "message", "")) > 1_000_000:
            raise InvalidValueError("the failure is too long")
        super().finalize(run_id, status, error=error, **given)
