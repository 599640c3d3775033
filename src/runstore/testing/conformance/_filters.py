"""READ.1: a random filter finds the same runs in the same order as the reference, and as plain Python says."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from runstore.testing.bench import Bench, unique
from runstore.testing.conformance._base import ConformanceBase, clause
from runstore.testing.conformance._reading import pages
from runstore.testing.examples import EXPERIMENTS, STATUSES, Facts, some_runs, with_ids, without_strangers, write
from runstore.testing.filters import Expression, some_filter, some_order
from runstore.testing.fuzz import chances, smallest
from runstore.testing.harness import open_url
from runstore.values.ids import experiment_id_of

SCOPES = (None, *EXPERIMENTS)

QUERIES_A_SET = 12
"""The filters that are tried on one set of runs: making the runs costs more than asking."""


class FilterClauses(ConformanceBase):
    """READ.1."""

    @clause("READ.1", "READ.2", "READ.3", "READ.4")
    def test_any_filter_and_order_give_what_the_reference_gives(self, bench: Bench) -> None:
        store = bench.open()

        def ask(runs: Sequence[Facts], queries: Sequence[tuple[Expression, list[str], int, str | None]]) -> None:
            reference, prefix = open_url("memory://"), unique("run-")
            runs = without_strangers(runs)
            for each in (store, reference):
                write(each, runs, prefix)

            for expression, order_by, limit, experiment in queries:
                text = f"tag.example = '{prefix}'" + (expression.text and f" and ({with_ids(expression.text, prefix)})")
                query: dict[str, Any] = {"filter": text, "order_by": order_by}
                if experiment is not None:
                    query["experiment_id"] = experiment_id_of(experiment)
                meant = [run for run in runs if experiment in {None, run.experiment} and expression.finds(run)]
                expected = [run.id for run in reference.search_runs(**query).items]
                assert sorted(expected) == sorted(with_ids(run.id, prefix) for run in meant), (
                    f"the reference misreads {text}"
                )
                found = [run.id for run in store.search_runs(**query).items]
                assert found == expected, f"{text} ordered by {order_by}"
                paged = [run.id for run in pages(store, **query, limit=limit)]
                assert paged == expected, f"{text} ordered by {order_by}, {limit} runs a page"

        # A store that delivers later also tells of life later, and would find a run that was lost again.
        statuses = (*STATUSES, "lost") if bench.harness.is_immediate else STATUSES
        for seed, chance in chances(10, share=bench.harness.effort):
            runs = some_runs(chance, statuses=statuses)
            queries = [
                (some_filter(chance, runs), some_order(chance), chance.randint(1, 3), chance.choice(SCOPES))
                for _ in range(QUERIES_A_SET)
            ]
            try:
                ask(runs, queries)
            except Exception as error:
                error.add_note(f"the example of seed {seed}, made smaller")
                for query in queries:
                    _tell(partial(ask, queries=[query]), runs, bench)
                raise


def _tell(ask: partial[None], runs: Sequence[Facts], bench: Bench) -> None:
    """Raises what one query fails with, on the fewest runs that it fails on."""
    try:
        ask(runs)
    except Exception:  # noqa: BLE001 - whatever it is, it is told of fewer runs
        few = smallest(runs, ask)
        bench.begin_script()
        ask(few)
