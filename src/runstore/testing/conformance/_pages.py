"""READ.4: pages are the whole, also while runs begin, end and go on."""

import threading
from datetime import timedelta
from typing import Any, Final

from runstore.backend import Store
from runstore.testing.bench import Bench, at_once, new_experiment, point
from runstore.testing.conformance._base import ConformanceBase, clause
from runstore.testing.conformance._reading import START, pages

READS: Final = 6
"""Times that all pages are read while their runs change."""


class PageClauses(ConformanceBase):
    """READ.4 and READ.10."""

    @clause("READ.4")
    def test_pages_are_the_whole_with_no_run_twice(self, store: Store) -> None:
        experiment_id = new_experiment(store)
        ids = [
            store.ensure_run(experiment_id, name=f"{number % 3}", start_time=START + timedelta(seconds=number // 4))
            for number in range(23)
        ]

        for order_by in (["start_time desc"], ["name", "start_time desc"], ["config.absent desc"]):
            for limit in (1, 4, 22, 23, 24):
                found = [run.id for run in pages(store, experiment_id=experiment_id, order_by=order_by, limit=limit)]
                whole = [run.id for run in store.search_runs(experiment_id=experiment_id, order_by=order_by).items]
                assert found == whole
                assert sorted(found) == sorted(ids)

    @clause("READ.4")
    def test_runs_added_while_paging_repeat_and_hide_none_that_were_there(self, bench: Bench) -> None:
        store, writer = bench.open(), bench.open()
        experiment_id = new_experiment(store)
        before = [store.ensure_run(experiment_id, start_time=START + timedelta(seconds=number)) for number in range(12)]

        seen: list[str] = []
        page = store.search_runs(experiment_id=experiment_id, limit=3)
        for number in range(20):
            seen += [run.id for run in page.items]
            writer.ensure_run(experiment_id, start_time=START + timedelta(seconds=number + 0.5))
            writer.ensure_run(experiment_id, start_time=START + timedelta(days=1))
            if page.next_cursor is None:
                break
            page = store.search_runs(experiment_id=experiment_id, limit=3, cursor=page.next_cursor)

        assert len(seen) == len(set(seen))
        assert set(before) <= set(seen)

    @clause("READ.4", "READ.10")
    def test_runs_that_end_and_go_on_meanwhile_are_on_the_pages_once(self, bench: Bench) -> None:
        reader, *writers = bench.open(), bench.open(), bench.open()
        experiment_id = new_experiment(reader)
        ids = [reader.ensure_run(experiment_id) for _ in range(16)]
        for number, run_id in enumerate(ids):
            reader.log_metrics(run_id, [point("loss", 0, number // 2)])
        filters = [None, "metric.validation.loss > 2", "not (metric.validation.loss > 4)"]
        is_read = threading.Event()

        def read() -> list[tuple[list[str], int]]:
            return [
                (
                    [
                        run.id
                        for run in pages(reader, filter=text, experiment_id=experiment_id, order_by=order_by, limit=7)
                    ],
                    reader.count_runs(text, experiment_id=experiment_id),
                )
                for text in filters
                for order_by in (["metric.validation.loss desc"], ["metric.validation.loss.count", "start_time"])
            ]

        def work(index: int) -> list[Any]:
            if index == len(writers):
                try:
                    return [read() for _ in range(READS)]
                finally:
                    is_read.set()
            while not is_read.is_set():
                for run_id in ids[index :: len(writers)]:
                    writers[index].finalize(run_id, "completed")
                    writers[index].ensure_run(run_id=run_id, resume=True)
            return []

        before = read()
        *_, meanwhile = at_once(work, len(writers) + 1)

        assert meanwhile == [before] * READS
