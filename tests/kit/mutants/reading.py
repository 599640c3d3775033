"""Planted bugs in what reads (READ)."""

# ruff: noqa: A002, A001 - `filter` is the protocol's name

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from kit.mutants.base import Mutant
from runstore.errors import InvalidValueError, QueryError, StoreFailureError
from runstore.model import Experiment, Page, Run
from runstore.query.meaning import Lookup, Odd, Value
from runstore.query.tree import Field


class PagesByOffset(Mutant, breaks="READ.4"):
    def search_runs(
        self, filter: str | None = None, *, limit: int = 100, cursor: str | None = None, **query: Any
    ) -> Page[Run]:
        super().search_runs(filter, limit=limit, **query)
        whole = super().search_runs(filter, limit=10_000, **query).items
        begin = int(cursor or 0)
        rest = begin + limit
        return Page(items=whole[begin:rest], next_cursor=str(rest) if len(whole) > rest else None)


class PageRepeatsItsLastRun(Mutant, breaks="READ.4"):
    def search_runs(self, *arguments: Any, cursor: str | None = None, limit: int = 100, **query: Any) -> Page[Run]:
        page = super().search_runs(*arguments, cursor=cursor, limit=limit, **query)
        if cursor is not None and page.items and limit > 1:
            before = self.database.__dict__.get("last_of_page")
            page = replace(page, items=(before or page.items[0], *page.items[1:]))
        if page.items:
            self.database.__dict__["last_of_page"] = page.items[-1]
        return page


class MissingMatchesUnequal(Mutant, breaks="READ.2"):
    def search_runs(self, filter: str | None = None, **query: Any) -> Page[Run]:
        if filter and " != " in filter and " and " not in filter and "not (" not in filter:
            filter = f"not ({filter.replace(' != ', ' = ')})"
        return super().search_runs(filter, **query)


class NumbersAndTextsCompare(Mutant, breaks="READ.2"):
    def search_runs(self, filter: str | None = None, **query: Any) -> Page[Run]:
        if filter and filter.startswith("config.depth = 18"):
            filter = f"{filter} or config.depth = '18'"
        return super().search_runs(filter, **query)


class PatternsIgnoreCase(Mutant, breaks="READ.5"):
    def search_runs(self, filter: str | None = None, **query: Any) -> Page[Run]:
        if filter and filter.startswith("name like '"):
            page = super().search_runs(filter, **query)
            other = super().search_runs(filter.replace("x", "X"), **query)
            return replace(page, items=(*page.items, *(each for each in other.items if each not in page.items)))
        return super().search_runs(filter, **query)


class MissingComesFirstInDescendingOrder(Mutant, breaks="READ.3"):
    def search_runs(
        self,
        filter: str | None = None,
        *,
        order_by: Sequence[str] = ("start_time desc",),
        **query: Any,
    ) -> Page[Run]:
        page = super().search_runs(filter, order_by=order_by, **query)
        if list(order_by) == ["config.lr desc"] and page.next_cursor is None and "cursor" not in query:
            return replace(page, items=tuple(reversed(page.items)))
        return page


class TextsAreSortedByTheirBeginning(Mutant, breaks="READ.3"):
    """As MySQL does by the first 1,024 bytes."""

    def _lookup(self, entry: Any, run: Run) -> Lookup:
        found = super()._lookup(entry, run)

        def lookup(field: Field) -> Value:
            value = found(field)
            return value[:1024] if isinstance(value, str) else value

        return lookup


class FirstPageLeavesOutWhatLacksTheSecondTerm(Mutant, breaks="READ.4"):
    """As a page does that is read from an index of those runs alone that have the metric."""

    def search_runs(self, *arguments: Any, order_by: Any = (), **query: Any) -> Page[Run]:
        page = super().search_runs(*arguments, order_by=order_by, **query)
        if len(order_by) > 1 and order_by[1].startswith("metric.") and page.next_cursor:
            return replace(page, items=tuple(run for run in page.items if self.get_summaries(run.id)))
        return page


class PatternsGiveUpInSilence(Mutant, breaks="READ.2"):
    def search_runs(self, filter: str | None = None, **query: Any) -> Page[Run]:
        if filter and " like " in filter and filter.count("%a") > 100:
            filter = "name is null"
        return super().search_runs(filter, **query)


class PatternsTakeOneCharacterForAnother(Mutant, breaks="READ.5"):
    """As GLOB of SQLite does with U+FFFE and U+FFFF."""

    def search_runs(self, filter: str | None = None, **query: Any) -> Page[Run]:
        if filter and " like '" in filter:
            filter = filter.replace("\ufffe", "\ufffd").replace("\uffff", "\ufffd")
        return super().search_runs(filter, **query)


class NestingOverflowsTheParser(Mutant, breaks="READ.8"):
    def search_runs(self, filter: str | None = None, **query: Any) -> Page[Run]:
        if filter and filter.count("(") > 8:
            raise StoreFailureError("the database refused the filter: parser stack overflow; ask for less")
        return super().search_runs(filter, **query)


class AnyNumberOfTermsIsTaken(Mutant, breaks="READ.8"):
    def search_runs(self, *arguments: Any, order_by: Any = (), **query: Any) -> Page[Run]:
        return super().search_runs(*arguments, order_by=order_by[:10], **query)


class VerbsOfAReaderWrite(Mutant, breaks="READ.9"):
    readers_write = True


class ChangedCursorsAreIndexErrors(Mutant, breaks="READ.7"):
    def list_experiments(self, *, limit: int = 100, cursor: str | None = None) -> Page[Experiment]:
        try:
            return super().list_experiments(limit=limit, cursor=cursor)
        except QueryError as error:
            raise IndexError("list index out of range") from error


class NoExperimentHasAnIdThatIsNoText(Mutant, breaks="READ.7"):
    def search_runs(self, *arguments: Any, experiment_id: Any = None, **query: Any) -> Page[Run]:
        if experiment_id is not None and not isinstance(experiment_id, str):
            return Page(items=(), next_cursor=None)
        return super().search_runs(*arguments, experiment_id=experiment_id, **query)


class WhatIsNoRunIdIsLeftOut(Mutant, breaks="READ.7"):
    def get_configs(self, run_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        return super().get_configs([run_id for run_id in run_ids if isinstance(run_id, str) and "\0" not in run_id])


class UnknownRunsFailTheWhole(Mutant, breaks="READ.6"):
    def get_configs(self, run_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        return {run_id: self.get_config(run_id) for run_id in run_ids}


class AnyCursorWillDo(Mutant, breaks="READ.7"):
    def search_runs(self, *arguments: Any, cursor: str | None = None, **query: Any) -> Page[Run]:
        try:
            return super().search_runs(*arguments, cursor=cursor, **query)
        except InvalidValueError:
            if cursor is None:
                raise
            return super().search_runs(*arguments, **query)


class MissingIsTheEmptyText(Mutant, breaks="READ.1"):
    def _lookup(self, entry: Any, run: Run) -> Lookup:
        found = super()._lookup(entry, run)

        def lookup(field: Field) -> Value:
            value = found(field)
            return "" if value is Odd.MISSING else value

        return lookup
