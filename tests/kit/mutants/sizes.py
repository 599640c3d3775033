"""Planted bugs in the bounds of one record (RUN.11, CFG.7, ART.10, FIN.8)."""

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from kit.mutants.base import Front, Mutant
from runstore.errors import InvalidValueError
from runstore.model import Artifact, Run, RunStatus
from runstore.values import ConfigDocument


class PathsAreShortened(Mutant, breaks="RUN.11"):
    def find_run(self, run_id: str) -> Run | None:
        run = super().find_run(run_id)
        return run and replace(run, source_path=run.source_path and run.source_path[:16_383])


class ConfigsOfTwoMebibytesAreRefused(Mutant, breaks="CFG.7"):
    def merge_config(self, run_id: str, config: ConfigDocument) -> None:
        super().merge_config(run_id, config)
        if len(self._entry(run_id).config.text) > 2 * 2**20:
            raise InvalidValueError("the packet is too large")


class ConfigsGrowForEver(Mutant, breaks="CFG.7"):
    def merge_config(self, run_id: str, config: ConfigDocument) -> None:
        try:
            super().merge_config(run_id, config)
        except InvalidValueError:
            self._entry(run_id).config = config


class MetadataIsLeftOutWhereItIsLarge(Mutant, breaks="ART.10"):
    def record_artifacts(self, run_id: str, records: Sequence[Artifact]) -> None:
        super().record_artifacts(
            run_id, [each if len(str(each.metadata)) < 65_535 else replace(each, metadata={}) for each in records]
        )


class LongFailuresAreRefused(Front, breaks="FIN.8"):
    def finalize(self, run_id: str, status: RunStatus | str, *, error: Any = None, **given: Any) -> None:
        if len(getattr(error, "message", "")) > 1_000_000:
            raise InvalidValueError("the failure is too long")
        self.store.finalize(run_id, status, error=error, **given)
