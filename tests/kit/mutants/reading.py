"""Planted bugs in what reads (READ)."""

# ruff: noqa: A002 - `filter` is the protocol's name

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from kit.mutants.base import Front, Mutant
from runstore.backend import KeyRow, ValueRow
from runstore.errors import InvalidValueError, QueryError, RunNotFoundError, StoreFailureError
from runstore.model import Experiment, Page, Run
from runstore.query import (
    And,
    Attribute,
    Compare,
    ConfigKey,
    Field,
    KeyQuery,
    Like,
    Lookup,
    Metric,
    Node,
    Not,
    Or,
    Order,
    Place,
    Present,
    RunQuery,
    ValueQuery,
    check_search,
    like_matcher,
)
from runstore.query.meaning import Odd, Value
from runstore.query.searches import decode_cursor

Found = tuple[Sequence[Run], Sequence[Any] | None]


class PagesByOffset(Mutant, breaks="READ.4"):
    def read_runs(self, asked: RunQuery) -> Found:
        begins = self.database.__dict__.setdefault("begins", {})
        begin = begins.get(self._key(asked.after), 0)
        runs, place = super().read_runs(replace(asked, after=None, limit=begin + asked.limit))
        begins[self._key(place)] = begin + asked.limit
        return runs[begin:], place

    @staticmethod
    def _key(place: Place | None) -> str:
        return repr(place and [(int(rank), value) for rank, value in place])


class PageRepeatsItsLastRun(Mutant, breaks="READ.4"):
    def read_runs(self, asked: RunQuery) -> Found:
        runs, place = super().read_runs(asked)
        if asked.after is not None and runs and asked.limit > 1:
            runs = [self.database.__dict__.get("last_of_page") or runs[0], *runs[1:]]
        if runs:
            self.database.__dict__["last_of_page"] = runs[-1]
        return runs, place


class _ChangesFilters(Mutant):
    """Asks what ``changed`` makes of each filter."""

    @staticmethod
    def changed(node: Node) -> Node:
        raise NotImplementedError

    def read_runs(self, asked: RunQuery) -> Found:
        return super().read_runs(asked if asked.node is None else replace(asked, node=self.changed(asked.node)))


class MissingMatchesUnequal(_ChangesFilters, breaks="READ.2"):
    @staticmethod
    def changed(node: Node) -> Node:
        return Not(Compare(node.field, "=", node.value)) if isinstance(node, Compare) and node.op == "!=" else node


class NumbersAndTextsCompare(_ChangesFilters, breaks="READ.2"):
    @staticmethod
    def changed(node: Node) -> Node:
        return Or((node, Compare(node.field, "=", "18"))) if node == Compare(ConfigKey("depth"), "=", 18) else node


class PatternsIgnoreCase(_ChangesFilters, breaks="READ.5"):
    @staticmethod
    def changed(node: Node) -> Node:
        return Or((node, replace(node, pattern=node.pattern.replace("x", "X")))) if isinstance(node, Like) else node


class MissingComesFirstInDescendingOrder(Mutant, breaks="READ.3"):
    def read_runs(self, asked: RunQuery) -> Found:
        runs, place = super().read_runs(asked)
        if asked.orders == (Order(ConfigKey("lr"), descending=True),) and place is None and asked.after is None:
            return runs[::-1], place
        return runs, place


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

    def read_runs(self, asked: RunQuery) -> Found:
        runs, place = super().read_runs(asked)
        if len(asked.orders) > 1 and isinstance(asked.orders[1].field, Metric) and place:
            return [run for run in runs if self.get_summaries(run.id)], place
        return runs, place


class PatternsGiveUpInSilence(_ChangesFilters, breaks="READ.2"):
    @staticmethod
    def changed(node: Node) -> Node:
        gives_up = isinstance(node, Like) and node.pattern.count("%a") > 100
        return Present(Attribute("name"), negated=True) if gives_up else node


class PatternsTakeOneCharacterForAnother(_ChangesFilters, breaks="READ.5"):
    """As GLOB of SQLite does with U+FFFE and U+FFFF."""

    @staticmethod
    def changed(node: Node) -> Node:
        if not isinstance(node, Like):
            return node
        return replace(node, pattern=node.pattern.replace("\ufffe", "\ufffd").replace("\uffff", "\ufffd"))


class NestingOverflowsTheParser(Mutant, breaks="READ.8"):
    def read_runs(self, asked: RunQuery) -> Found:
        if self._depth(asked.node) > 8:
            raise StoreFailureError("the database refused the filter: parser stack overflow; ask for less")
        return super().read_runs(asked)

    def _depth(self, node: Node | None) -> int:
        match node:
            case Not(item):
                return 1 + self._depth(item)
            case And(items) | Or(items):
                return 1 + max(map(self._depth, items))
            case _:
                return 0


class AnyNumberOfTermsIsTaken(Front, breaks="READ.8"):
    def search_runs(self, *arguments: Any, order_by: Any = (), **query: Any) -> Page[Run]:
        return self.store.search_runs(*arguments, order_by=order_by[:10], **query)


class VerbsOfAReaderWrite(Mutant, breaks="READ.9"):
    readers_write = True


class ChangedCursorsAreIndexErrors(Front, breaks="READ.7"):
    def list_experiments(self, *, limit: int = 100, cursor: str | None = None) -> Page[Experiment]:
        try:
            return self.store.list_experiments(limit=limit, cursor=cursor)
        except QueryError as error:
            raise IndexError("list index out of range") from error


class PlacesOfAnotherShapeAreTypeErrors(Front, breaks="READ.7"):
    """Believes a cursor whose digest is right."""

    def search_runs(self, filter: str | None = None, *, cursor: str | None = None, **query: Any) -> Page[Run]:
        try:
            return self.store.search_runs(filter, cursor=cursor, **query)
        except QueryError as error:
            asked: dict[str, Any] = {"experiment_id": None, "order_by": ["start_time desc"], "limit": 100, **query}
            decode_cursor(check_search(filter, cursor=None, **asked).key, cursor)
            raise TypeError("'<' not supported between instances of 'str' and 'int'") from error


class NoExperimentHasAnIdThatIsNoText(Front, breaks="READ.7"):
    def search_runs(self, *arguments: Any, experiment_id: Any = None, **query: Any) -> Page[Run]:
        if experiment_id is not None and not isinstance(experiment_id, str):
            return Page(items=(), next_cursor=None)
        return self.store.search_runs(*arguments, experiment_id=experiment_id, **query)


class WhatIsNoRunIdIsLeftOut(Front, breaks="READ.7"):
    def get_configs(self, run_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        return self.store.get_configs([run_id for run_id in run_ids if isinstance(run_id, str) and "\0" not in run_id])


class UnknownRunsFailTheWhole(Mutant, breaks="READ.6"):
    def read_configs(self, run_ids: Sequence[str]) -> dict[str, str]:
        for run_id in run_ids:
            if run_id not in self.database.runs:
                raise RunNotFoundError.of(run_id)
        return super().read_configs(run_ids)


class AnyCursorWillDo(Front, breaks="READ.7"):
    def search_runs(self, *arguments: Any, cursor: str | None = None, **query: Any) -> Page[Run]:
        try:
            return self.store.search_runs(*arguments, cursor=cursor, **query)
        except InvalidValueError:
            if cursor is None:
                raise
            return self.store.search_runs(*arguments, **query)


class CountsOnePage(Mutant, breaks="READ.10"):
    def read_count(self, asked: RunQuery) -> int:
        return len(self.read_runs(replace(asked, limit=2))[0])


class ArchivedRunsAreCounted(Mutant, breaks="READ.10"):
    def read_count(self, asked: RunQuery) -> int:
        return super().read_count(replace(asked, with_archived=True))


class KeysAreCountedByPoint(Mutant, breaks="READ.11"):
    def read_keys(self, asked: KeyQuery) -> Sequence[KeyRow]:
        found = super().read_keys(asked)
        return [(key, kind, runs + (asked.of == "metric")) for key, kind, runs in found]


class ValuesOfArchivedRunsAreListed(Mutant, breaks="READ.11"):
    def read_values(self, asked: ValueQuery) -> Sequence[ValueRow]:
        return super().read_values(replace(asked, with_archived=True))


class BooleansAreListedAsNumbers(Mutant, breaks="READ.11"):
    def read_values(self, asked: ValueQuery) -> Sequence[ValueRow]:
        found = super().read_values(asked)
        return [(float(value) if isinstance(value, bool) else value, runs) for value, runs in found]


class BeginningsArePatterns(Mutant, breaks="READ.11"):
    def read_values(self, asked: ValueQuery) -> Sequence[ValueRow]:
        if "%" not in asked.prefix:
            return super().read_values(asked)
        pattern = like_matcher(f"{asked.prefix}%")
        return [row for row in super().read_values(replace(asked, prefix="")) if pattern(str(row[0]))]


class FiguresOfRecordersAreListed(Mutant, breaks="READ.11"):
    def read_values(self, asked: ValueQuery) -> Sequence[ValueRow]:
        return super().read_values(replace(asked, without=""))


class MissingIsTheEmptyText(Mutant, breaks="READ.1"):
    def _lookup(self, entry: Any, run: Run) -> Lookup:
        found = super()._lookup(entry, run)

        def lookup(field: Field) -> Value:
            value = found(field)
            return "" if value is Odd.MISSING else value

        return lookup
