"""One search of runs: an aggregation pipeline for a filter, an ordering and a place to go on from."""

import math
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, NamedTuple

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


class Search:
    """One search: its pipeline, and the place of a run that came out of it."""

    def __init__(self, asked: RunQuery, *, experiments: Mapping[str, str], joins: bool = False) -> None:
        """Compiles.

        Args:
            asked: the question.
            experiments: names by id, where the filter asks for names.
            joins: look the statistics of wide runs up in ``run_series``: right for all, and many times slower.
        """
        self._conditions = Conditions(joins=joins, experiments=experiments)
        self._joins = joins
        self._node = asked.node
        self._after = asked.after
        self._limit = asked.limit + 1  # one more, to know whether a page follows
        scope = {"experiment_id": asked.experiment_id, "parent_run_id": asked.parent_run_id}
        self._scope: Document = {field: {"$eq": value} for field, value in scope.items() if value is not None}
        self._scope |= SHOWN if asked.with_archived else {**SHOWN, "archived_at": None}
        terms = [term_of(index, order, self._conditions) for index, order in enumerate(asked.orders)]
        self._terms = [*terms, *TIES]

    def pipeline(self) -> Pipeline:
        """The stages that give the runs of a page in order, and one more."""
        early, late = self._split()
        computed = [term for term in self._terms if not term.is_stored]
        behind = [] if self._after is None else [_behind(self._after, self._terms)]
        conditions = [self._conditions.of(item) for item in early]
        stages: Pipeline = [_match([self._scope, *conditions, *([] if computed else behind)])]
        # What nothing is computed for is sorted first, by an index: then no more is looked up than the page takes.
        is_sorted = bool(late) and not computed
        stages += [_sort(self._terms)] if is_sorted else []
        if late:
            # Look up what the filter needs, drop what it drops, and only then look up what the ordering needs.
            wanted = {
                (test.field.dataset_type, test.field.name)
                for item in late
                for test in tests_in(item)
                if isinstance(test.field, Metric)
            }
            conditions = [self._conditions.of(item) for item in late]
            stages += [*self._lookups(wanted), *self._artifact_lookups(), _match(conditions)]
            stages += self._lookups(self._conditions.joined.keys() - wanted)
        else:
            stages += self._lookups(self._conditions.joined.keys())
        for term in computed:
            stages += term.stages
        if computed:
            stages += [_match(behind)] if behind else []
            # A sort holds whole documents, up to 100 MB of them in memory.
            stages.append({"$unset": ["config", "metrics"]})
        places = {name: 1 for term in computed for name in (term.rank_path, term.path)}
        stages += [] if is_sorted else [_sort(self._terms)]
        return [*stages, {"$limit": self._limit}, {"$project": {**SHOWN_FIELDS, **places}}]

    def finite_pipeline(self) -> Pipeline | None:
        """The same for the runs alone in which the statistic that is ordered by first is finite; ``None`` without one.

        They come before all others, and MongoDB can sort them by the stored field. The whole pipeline computes a rank
        for every run that passes the filter, which takes twice as long. No other term may have to be computed.
        """
        first, *others = self._terms
        if self._joins or first.statistic is None or not all(term.is_stored for term in others):
            return None
        if self._after is not None and self._after[0][0] != Rank.NUMBER:
            return None
        if self._node is not None and uses_artifacts(self._node):
            return None
        terms = [first.as_stored(), *others]
        path = terms[0].path
        conditions = [] if self._node is None else [self._conditions.of(self._node)]
        behind = [] if self._after is None else [_behind(self._after, terms)]
        rank = {"$literal": int(Rank.NUMBER)}
        return [
            _match([self._scope, *conditions, {path: {"$gt": -math.inf, "$lt": math.inf}}, *behind]),
            _sort(terms),
            {"$limit": self._limit},
            {"$project": {**SHOWN_FIELDS, first.path: f"${path}", first.rank_path: rank}},
        ]

    def place_of(self, document: Document) -> Place:
        """The place of a run that the pipeline gave."""
        return [
            (int(document[term.rank_path]) if term.rank is None else term.rank, document[term.path])
            for term in self._terms
        ]

    def _split(self) -> tuple[list[Node], list[Node]]:
        """The conjuncts that the stored run answers, and those that need a look-up."""
        if self._node is None:
            return [], []
        items = self._node.items if isinstance(self._node, And) else (self._node,)
        late = [item for item in items if (self._joins and uses_metrics(item)) or uses_artifacts(item)]
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


def _sort(terms: Sequence[Term]) -> Document:
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
