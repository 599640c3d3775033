"""One search of a part of the runs: an aggregation pipeline for a filter, an ordering and a place to go on from."""

import math
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, NamedTuple

from msgspec import Struct

from runstore.query import And, Metric, Node, Place, Rank, RunQuery, tests_in
from runstore_mongo.documents.names import ARTIFACTS, SERIES, Document, Pipeline, copy_key
from runstore_mongo.documents.records import SHOWN, SHOWN_FIELDS
from runstore_mongo.search.conditions import Conditions, uses_artifacts, uses_metrics
from runstore_mongo.search.derived import artifact_scope
from runstore_mongo.search.orders import TIES, Term, term_of


class _SortKey(NamedTuple):
    """A path that is sorted by; of a term's two, the rank comes first."""

    path: str
    is_descending: bool
    term: int
    is_rank: bool


class Part(Struct, frozen=True):
    """Some of the runs that are searched; all parts together are all runs, and no run is in two.

    Attributes:
        scope: which runs.
        joins: their statistics are looked up in ``run_series``: right for all, and many times slower.
        has_results: the index of results holds their statistics.
    """

    scope: Document = {}
    joins: bool = False
    has_results: bool = False


class Search:
    """One search of one part: its pipeline."""

    def __init__(self, asked: RunQuery, part: Part, *, experiments: Mapping[str, str]) -> None:
        """Compiles.

        Args:
            asked: the question.
            part: the runs that are searched.
            experiments: names by id, where the filter asks for names.
        """
        self._conditions = Conditions(joins=part.joins, experiments=experiments)
        self._part = part
        self._node = asked.node
        self._after = asked.after
        self._limit = asked.limit + 1  # one more, to know whether a page follows
        scope = {"experiment_id": asked.experiment_id, "parent_run_id": asked.parent_run_id}
        self._scope: Document = {field: {"$eq": value} for field, value in scope.items() if value is not None}
        self._scope |= part.scope | (SHOWN if asked.with_archived else {**SHOWN, "archived_at": None})
        terms = [term_of(index, order, self._conditions) for index, order in enumerate(asked.orders)]
        self.terms = [*terms, *TIES]

    def pipeline(self) -> Pipeline:
        """The stages that give the runs of a page in order, and one more."""
        computed = [term for term in self.terms if not term.is_stored]
        behind = [] if self._after is None else [_behind(self._after, self.terms)]
        stages = self.matching([] if computed else behind, ordered=not computed)
        # Only what the filter has left is looked up for the ordering.
        stages += self._lookups(self._conditions.joined.keys() - self._wanted())
        for term in computed:
            stages += term.stages
        if computed:
            stages += [_match(behind)] if behind else []
            # A sort holds whole documents, up to 100 MB of them in memory.
            stages += [{"$unset": ["config", "metrics"]}, sort_stage(self.terms)]
        places = {name: 1 for term in computed for name in (term.rank_path, term.path)}
        return [*stages, {"$limit": self._limit}, {"$project": {**SHOWN_FIELDS, **places}}]

    def matching(self, more: Sequence[Document] = (), *, ordered: bool = False) -> Pipeline:
        """The stages that give the runs that match.

        Args:
            more: further conditions, of what is stored.
            ordered: sort them by the terms, before anything is looked up: then no more is than the page takes.
        """
        early, late = self._split()
        conditions = [self._conditions.of(item) for item in early]
        stages: Pipeline = [_match([self._scope, *conditions, *more])]
        stages += [sort_stage(self.terms)] if ordered else []
        conditions = [self._conditions.of(item) for item in late]
        stages += [*self._lookups(self._wanted()), *self._artifact_lookups()]
        return [*stages, _match(conditions)] if late else stages

    def _wanted(self) -> set[tuple[str, str]]:
        """The series that the filter looks up."""
        _, late = self._split()
        tests = [test for item in late for test in tests_in(item)]
        return {(test.field.dataset_type, test.field.name) for test in tests if isinstance(test.field, Metric)}

    @property
    def has_finite(self) -> bool:
        """Whether runs come first in which a statistic is finite, and nothing else has to be computed."""
        first, *others = self.terms
        if first.statistic is None or not all(term.is_stored for term in others):
            return False
        if self._after is not None and self._after[0][0] != Rank.NUMBER:
            return False
        return self._node is None or not uses_artifacts(self._node)

    def finite_pipeline(self, most: int, *, bound: float | None = None) -> Pipeline:
        """The same for those runs alone, which come before all others: MongoDB can sort them by the stored field.

        The whole pipeline computes a rank for every run that passes the filter. Where there is an index of results it is
        followed in its order, without the ties: then those that tie with the last one may be missing.

        Args:
            most: how many runs.
            bound: of the statistic, if those beyond it do not come into question.
        """
        first, *others = self.terms
        terms = [first.as_stored(), *others]
        path, is_descending, *_ = terms[0]
        behind = [] if self._after is None else [_behind(self._after, terms)]
        conditions = [] if self._node is None else [self._conditions.of(self._node)]
        is_finite = [{path: {"$gt": -math.inf, "$lt": math.inf}}]
        if bound is not None:
            is_finite.append({path: {"$gte" if is_descending else "$lte": bound}})
        stages = [_match([self._scope, *([] if self._part.joins else [*conditions, *is_finite, *behind])])]
        if self._part.joins:
            stages += [*self._lookups(self._conditions.joined.keys()), _match([*conditions, *is_finite, *behind])]
        follows_index = self._part.has_results and bound is None
        rank = {"$literal": int(Rank.NUMBER)}
        return [
            *stages,
            {"$sort": {path: -1 if is_descending else 1}} if follows_index else sort_stage(terms),
            {"$limit": most},
            {"$project": {**SHOWN_FIELDS, first.path: f"${path}", first.rank_path: rank}},
        ]

    def _split(self) -> tuple[list[Node], list[Node]]:
        """The conjuncts that the stored run answers, and those that need a look-up."""
        if self._node is None:
            return [], []
        items = self._node.items if isinstance(self._node, And) else (self._node,)
        late = [item for item in items if (self._part.joins and uses_metrics(item)) or uses_artifacts(item)]
        return [item for item in items if item not in late], late

    def _artifact_lookups(self) -> Pipeline:
        """Joins, for each test of artifacts, one record that passes it."""
        joined = {"from": ARTIFACTS, "localField": "_id", "foreignField": "run_id"}
        rest = [{"$limit": 1}, {"$project": {"_id": 1}}]
        return [
            {"$lookup": {**joined, "pipeline": [_match([artifact_scope(test)]), *rest], "as": f"_a{number}"}}
            for test, number in self._conditions.artifacts.items()
        ]

    def _lookups(self, wanted: AbstractSet[tuple[str, str]]) -> Pipeline:
        """Joins series' summaries by their key: one index look-up a run."""
        stages: Pipeline = []
        for (dataset_type, name), number in self._conditions.joined.items():
            if (dataset_type, name) not in wanted:
                continue
            key, joined = f"_k{number}", f"_m{number}"
            stages += [
                {"$set": {key: {"$concat": ["$_id", {"$literal": f"\n{dataset_type}\n{name}"}]}}},
                {
                    "$lookup": {
                        "from": SERIES,
                        "localField": key,
                        "foreignField": "_id",
                        "pipeline": [{"$project": {"_id": 0, "last": 1, "first": 1, "min": 1, "max": 1, "count": 1}}],
                        "as": joined,
                    }
                },
                {
                    "$set": {
                        joined: {
                            "$cond": [
                                {"$eq": ["$has_more_series", True]},
                                {"$first": f"${joined}"},
                                f"$metrics.{copy_key((name, dataset_type))}",
                            ]
                        }
                    }
                },
            ]
        return stages


def _match(conditions: Sequence[Document]) -> Document:
    conditions = [condition for condition in conditions if condition]
    if len(conditions) == 1:
        return {"$match": conditions[0]}
    return {"$match": {"$and": conditions} if conditions else {}}


def _sort_keys(terms: Sequence[Term]) -> Iterator[_SortKey]:
    """Each path once."""
    seen = set()
    for index, term in enumerate(terms):
        ranks = [] if term.is_stored else [_SortKey(term.rank_path, False, index, True)]  # noqa: FBT003 - in words above
        for key in [*ranks, _SortKey(term.path, term.descending, index, False)]:  # noqa: FBT003 - as above
            if key.path not in seen:
                seen.add(key.path)
                yield key


def sort_stage(terms: Sequence[Term]) -> Document:
    """The stage that sorts by terms."""
    return {"$sort": {key.path: -1 if key.is_descending else 1 for key in _sort_keys(terms)}}


def _behind(place: Place, terms: Sequence[Term]) -> Document:
    """That a run stands strictly after a place."""
    # From the last key to the first: beyond it, or level with it and behind in the keys that follow. So each value
    # stands in the command twice, and a long text does not fill it up.
    behind: Document = {}
    first: Document = {}
    for key in reversed(list(_sort_keys(terms))):
        rank, found = place[key.term]
        value: Any = rank if key.is_rank else found
        if rank == Rank.BOOLEAN and not key.is_rank:
            value = float(found)  # as a leaf holds it
        operator = "$lt" if key.is_descending else "$gt"
        beyond = {key.path: {operator: value}}
        behind = {"$or": [beyond, {"$and": [{key.path: {"$eq": value}}, behind]}]} if behind else beyond
        first = {key.path: {f"{operator}e": value}}  # implied by all of it; it bounds the scan of an index
    return {"$and": [first, behind]}
