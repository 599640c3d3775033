"""Planted bugs in what is there for people's convenience (READ.13 to READ.15)."""

# ruff: noqa: A002 - `filter` is the protocol's name

import math
from collections.abc import Iterator
from typing import Any

from kit.mutants.base import Front
from runstore.errors import InvalidValueError
from runstore.frames import Frame
from runstore.frames.columns import column_of
from runstore.model import Run


class WalkEndsWithThePage(Front, breaks="READ.13"):
    def iter_runs(self, filter: str | None = None, *, limit: int | None = None, **asked: Any) -> Iterator[Run]:
        return iter(self.store.search_runs(filter, limit=limit or 1000, **asked))


class WalkTellsMistakesLate(Front, breaks="READ.13"):
    def iter_runs(self, filter: str | None = None, **asked: Any) -> Iterator[Run]:
        yield from self.store.iter_runs(filter, **asked)


class TakesTheNewestOfSeveral(Front, breaks="READ.14"):
    def resolve_run(self, reference: str, *, experiment_id: str | None = None) -> str:
        try:
            return self.store.resolve_run(reference, experiment_id=experiment_id)
        except InvalidValueError:
            named = self.store.search_runs(f"name = '{reference}'", experiment_id=experiment_id)
            if not named:
                raise
            return named[0].id


class ForgetsArchivedRuns(Front, breaks="READ.14"):
    def resolve_run(self, reference: str, *, experiment_id: str | None = None) -> str:
        found = self.store.resolve_run(reference, experiment_id=experiment_id)
        if self.store.get_run(found).archived_at is not None:
            return self.store.resolve_run("@1", experiment_id=experiment_id)
        return found


class TablesHaveNullForNan(Front, breaks="READ.15"):
    def runs_frame(self, filter: str | None = None, **asked: Any) -> Frame:
        found: Frame = self.store.runs_frame(filter, **asked)
        return Frame([column_of(name, [_without_nan(value) for value in found[name]]) for name in found.columns])


class TablesOfHistoriesForgetARange(Front, breaks="READ.15"):
    def history_frame(self, runs: Any, metrics: Any = None, *, as_: str | None = None, **_: Any) -> Any:
        return self.store.history_frame(runs, metrics, as_=as_)


def _without_nan(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value
