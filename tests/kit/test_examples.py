"""The generated examples, which are compared across backends, meet every rule that a backend states in its own words."""

from collections import Counter
from collections.abc import Iterator
from random import Random

import pytest

from runstore.memory import MemoryStore
from runstore.query import Rank
from runstore.query.meaning import sort_key
from runstore.query.parser import parse_order
from runstore.testing.examples import STATUSES, Facts, some_runs, with_ids, without_strangers, write
from runstore.testing.filters import some_filter, some_order
from runstore.testing.fuzz import chances
from runstore.testing.sequences import some_calls


@pytest.fixture
def populations() -> list[tuple[Random, list[Facts]]]:
    """The runs of each example, with the generator that made them."""
    return [(chance, some_runs(chance, statuses=(*STATUSES, "lost"))) for _, chance in chances(10, share=1.0)]


def stored(runs: list[Facts]) -> MemoryStore:
    store = MemoryStore()
    write(store, without_strangers(runs), "run-")
    return store


def ranks(store: MemoryStore, order_by: list[str]) -> Iterator[int]:
    orders = parse_order(order_by)
    for entry in store._database.runs.values():  # noqa: SLF001 - the reference, looked at from inside
        run = store._seen(entry.run, 0)  # noqa: SLF001 - deleted ones too
        lookup = store._lookup(entry, run)  # noqa: SLF001
        yield from (rank for rank, _ in sort_key(orders, lookup, start_us=0, run_id=run.id)[:-2])


def test_orders_sort_by_values_of_every_rank(populations: list[tuple[Random, list[Facts]]]) -> None:
    found: Counter[int] = Counter()

    for chance, runs in populations:
        store = stored(runs)
        for _ in range(12):
            found.update(ranks(store, some_order(chance)))

    assert set(found) == set(Rank)


def test_runs_whose_lease_has_run_out_are_among_them_and_asked_for(
    populations: list[tuple[Random, list[Facts]]],
) -> None:
    lost = [run for _, runs in populations for run in runs if run.status == "lost"]
    asked = [
        expression.text
        for chance, runs in populations
        for expression in (some_filter(chance, runs) for _ in range(12))
        if "'lost'" in expression.text
    ]

    assert lost
    assert asked
    first = lost[0]._replace(is_deleted=False)
    assert stored([first]).get_run(with_ids(first.id, "run-")).status == "lost"


def test_sequences_overwrite_extremes_and_meet_equal_and_non_finite_ones() -> None:
    overwritten = equal = non_finite = 0

    for _, chance in chances(40, share=1.0):
        known: dict[tuple[str, str], dict[int, float]] = {}
        for call in some_calls(chance):
            for point in call.points:
                steps = known.setdefault((point.name, str(point.dataset_type)), {})
                overwritten += steps.get(point.step) in {
                    min(steps.values(), default=None),
                    max(steps.values(), default=None),
                }
                steps[point.step] = float(point.value)
        for steps in known.values():
            equal += len(set(steps.values())) < len(steps)
            non_finite += any(value - value != 0 for value in steps.values())

    assert overwritten
    assert equal
    assert non_finite
