"""READ.1: a generated filter finds the same runs in the same order as the reference, and as plain Python says."""

from hypothesis import given
from hypothesis import strategies as st

from runstore.testing.bench import Bench, unique
from runstore.testing.conformance._base import ConformanceBase, clause
from runstore.testing.conformance._reading import pages
from runstore.testing.filters import Expression, Facts, expressions, facts, orders, write
from runstore.testing.harness import open_url
from runstore.testing.strategies import effort

QUERIES_A_SET = 12
"""The most filters that are tried on one set of runs: making the runs costs more than asking."""


class FilterClauses(ConformanceBase):
    """READ.1."""

    @clause("READ.1", "READ.2", "READ.3", "READ.4")
    def test_any_filter_and_order_give_what_the_reference_gives(self, bench: Bench) -> None:
        store = bench.open()
        queries = st.lists(st.tuples(expressions(), orders()), min_size=1, max_size=QUERIES_A_SET)

        @effort(10, share=bench.harness.effort)
        @given(st.lists(facts(), min_size=1, max_size=7), queries)
        def check(runs: list[Facts], asked: list[tuple[Expression, list[str]]]) -> None:
            reference, name, prefix = open_url("memory://"), unique(), unique("run")
            made = {f"{prefix}-{index}": run for index, run in enumerate(runs)}
            for each in (store, reference):
                experiment_id = each.get_or_create_experiment(name)
                for run_id, run in made.items():
                    write(each, experiment_id, run_id, run)

            for expression, order_by in asked:
                query = {"filter": expression.text, "experiment_id": experiment_id, "order_by": order_by}
                expected = [run.id for run in reference.search_runs(**query).items]  # type: ignore[arg-type]
                found = [run.id for run in store.search_runs(**query).items]  # type: ignore[arg-type]
                paged = [run.id for run in pages(store, **query, limit=2)]
                assert sorted(expected) == sorted(run_id for run_id, run in made.items() if expression.holds(run)), (
                    f"the reference misreads {expression.text}"
                )
                assert found == expected, f"{expression.text} ordered by {order_by}"
                assert paged == expected, f"{expression.text} ordered by {order_by}, two runs a page"

        check()
