"""What a prompt shows of an answer: counts, never a screen of items."""

from runstore import MetricPoint
from runstore.memory import MemoryStore
from runstore.model import Page


def test_a_page_says_how_many_items_it_has_and_whether_more_follow() -> None:
    store = MemoryStore()
    experiment_id = store.get_or_create_experiment("e")
    for _ in range(3):
        store.ensure_run(experiment_id, provenance={"argv": ["x"] * 100})

    assert repr(store.search_runs(limit=2)) == "Page(2 Run, has_more=True)"
    assert repr(store.list_experiments()) == "Page(1 Experiment, has_more=False)"
    assert repr(Page(items=(), next_cursor=None)) == "Page(0, has_more=False)"


def test_a_grid_and_its_series_say_what_they_are_of_and_how_much_they_hold() -> None:
    store = MemoryStore()
    run_id = store.ensure_run(store.get_or_create_experiment("e"))
    store.log_metrics(run_id, [MetricPoint("loss", 0.5, step, "train") for step in range(1000)])

    grid = store.sample_histories([(run_id, "loss", "train")], max_points=8)

    assert repr(grid) == "HistoryGrid(by='step', buckets=2, series=1)"
    assert repr(grid.series[0]) == (
        f"GridSeries(run_id={run_id!r}, name='loss', dataset_type='train', buckets=2, points=1000)"
    )
    assert repr(store.sample_histories([("nobody", "loss", "train")])) == "HistoryGrid(by='step', buckets=0, series=0)"
