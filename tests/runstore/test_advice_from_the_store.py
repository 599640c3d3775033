"""An error about an unknown field names the keys in use that may be meant: nobody has to know how a metric is filed."""

from typing import Any

import pytest

from runstore import MetricPoint, QueryError, Store, StoreUnavailableError, open_store
from runstore.memory import MemoryStore


@pytest.fixture
def store() -> Any:
    with open_store("memory://", durable=False) as opened:
        run_id = opened.ensure_run(opened.get_or_create_experiment("lungs"), tags={"owner": "me", "Team": "x"})
        opened.log_config(run_id, {"lr": 0.1, "optimizer": {"name": "adam", "weight_decay": 0.1}, "state": 5})
        opened.log_metrics(
            run_id,
            [
                MetricPoint(name=name, value=0.5, step=0, dataset_type=kind)
                for name, kind in [("loss", "train"), ("auroc", "validation"), ("dice", "test"), ("my.loss", "other")]
            ],
        )
        yield opened


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("loss < 1", "metric.train.loss.last"),
        ("metrics.loss < 1", "metric.train.loss.last"),
        ("metric.loss.max < 1", "metric.train.loss.max"),
        ("val_auroc > 0.5", "metric.validation.auroc.last"),
        ("metric.val.auroc.max > 0.5", "metric.validation.auroc.max"),
        ("auroc.max > 0.5", "metric.validation.auroc.max"),
        ("aurok > 0.5", "metric.validation.auroc.last"),
        ("Dice > 0.5", "metric.test.dice.last"),
        ("lr < 1", "config.lr"),
        ("params.lr < 1", "config.lr"),
        ("params.weight_decay < 1", "config.optimizer.weight_decay"),
        ("optimizer.name = 'adam'", "config.optimizer.name"),
        ("tags.Owner = 'me'", "tag.owner"),
        ("owner = 'me'", "tag.owner"),
        ("team = 'x'", "tag.Team"),
        ("state = 5", "status or config.state"),
        ("created_at > '2026-01-01'", "start_time"),
    ],
)
def test_the_key_in_use_is_named(store: Store, text: str, meant: str) -> None:
    with pytest.raises(QueryError) as caught:
        store.search_runs(text)

    assert str(caught.value).endswith(f"; did you mean {meant}?")
    assert "expected a field but found" in str(caught.value)
    assert "Fields are" not in str(caught.value)  # what was meant stands there already


def test_every_read_that_takes_a_field_says_so(store: Store) -> None:
    for read in (
        lambda: store.search_runs(order_by=["loss desc"]),
        lambda: store.iter_runs("loss < 1"),
        lambda: store.count_runs("loss < 1"),
        lambda: store.runs_frame(columns=["loss"]),
    ):
        with pytest.raises(QueryError, match=r"did you mean metric\.train\.loss\.last\?$"):
            read()
    with pytest.raises(QueryError, match=r"did you mean tag\.owner\?$"):
        store.list_values("owner")


def test_a_key_of_another_experiment_is_not_named(store: Store) -> None:
    with pytest.raises(QueryError, match=r"did you mean metric\.validation\.loss \(or another"):
        store.search_runs("loss < 1", experiment_id=store.get_or_create_experiment("hearts"))


def test_what_is_like_nothing_in_use_is_answered_as_before(store: Store) -> None:
    with pytest.raises(QueryError, match=r"config\.quux or tag\.quux"):
        store.search_runs("quux = 1")


def test_a_mistake_is_told_while_the_store_is_away(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> Any:
        raise StoreUnavailableError("away")

    monkeypatch.setattr(MemoryStore, "read_keys", away)

    with pytest.raises(QueryError, match=r"metric\.validation\.loss"):
        store.search_runs("loss < 1")
