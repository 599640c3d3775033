"""READ.1: a random filter finds the same runs in the same order as the reference, and as plain Python says."""

from collections.abc import Sequence
from functools import partial

from runstore.testing.bench import Bench, unique
from runstore.testing.conformance._base import ConformanceBase, clause
from runstore.testing.conformance._reading import pages
from runstore.testing.filters import STATUSES, Expression, Facts, some_filter, some_order, some_runs, write
from runstore.testing.fuzz import chances, smallest
from runstore.testing.harness import open_url

QUERIES_A_SET = 12
"""The filters that are tried on one set of runs: making the runs costs more than asking."""


class FilterClauses(ConformanceBase):
    """READ.1."""

    @clause("READ.1", "READ.2", "READ.3", "READ.4")
    def test_any_filter_and_order_give_what_the_reference_gives(self, bench: Bench) -> None:
        store = bench.open()

        def ask(runs: Sequence[Facts], queries: Sequence[tuple[Expression, list[str], int]]) -> None:
            reference, name, prefix = open_url("memory://"), unique(), unique("run")
            made = {f"{prefix}-{index}": run for index, run in enumerate(runs)}
            for each in (store, reference):
                experiment_id = each.get_or_create_experiment(name)
                for run_id, run in made.items():
                    write(each, experiment_id, run_id, run)

            for expression, order_by, limit in queries:
                query = {"filter": expression.text, "experiment_id": experiment_id, "order_by": order_by}
                expected = [run.id for run in reference.search_runs(**query).items]  # type: ignore[arg-type]
                assert sorted(expected) == sorted(run_id for run_id, run in made.items() if expression.holds(run)), (
                    f"the reference misreads {expression.text}"
                )
                found = [run.id for run in store.search_runs(**query).items]  # type: ignore[arg-type]
                assert found == expected, f"{expression.text} ordered by {order_by}"
                paged = [run.id for run in pages(store, **query, limit=limit)]
                assert paged == expected, f"{expression.text} ordered by {order_by}, {limit} runs a page"

        # A store that delivers later also tells of life later, and would find a run that was lost again.
        statuses = (*STATUSES, "lost") if bench.harness.is_immediate else STATUSES
        for seed, chance in chances(10, share=bench.harness.effort):
            runs = some_runs(chance, statuses=statuses)
            queries = [
                (some_filter(chance, runs), some_order(chance), chance.randint(1, 3)) for _ in range(QUERIES_A_SET)
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
