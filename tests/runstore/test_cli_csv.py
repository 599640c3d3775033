"""CSV: every digit, every row, and nothing that steers a terminal."""

import csv
import io
import math
from pathlib import Path

import pytest

from runstore import MetricPoint, open_store
from support.commands import runstore

_HOSTILE = 'a "text", of\ntwo lines\x1b[2J'


@pytest.fixture
def ids(sqlite_url: str, tmp_path: Path) -> list[str]:
    """Two runs of which the second has other settings and a value that is no number; and a file."""
    (tmp_path / "weights.bin").write_bytes(b"weights")
    with open_store(sqlite_url, durable=False) as store:
        experiment_id = store.get_or_create_experiment("lungs", description="CT, left")
        found = [
            store.ensure_run(experiment_id, name=name, tags={"said": said})
            for name, said in (("plain", "so"), ("other", _HOSTILE))
        ]
        configs: list[dict[str, float]] = [{"lr": 0.1}, {"depth": 18}]
        for run_id, value, config in zip(found, (0.1 + 0.2, math.nan), configs, strict=True):
            store.log_config(run_id, config)
            store.log_metrics(run_id, [MetricPoint("loss", value, 3, "train")])
        store.log_artifact(found[0], tmp_path / "weights.bin", metadata={"epoch": 3})
    return found


def _rows(*arguments: str) -> list[dict[str, str]]:
    printed = runstore(*arguments, "--csv")
    assert printed.returncode == 0, printed.stderr
    assert printed.stderr == ""
    assert "\x1b" not in printed.stdout
    return list(csv.DictReader(io.StringIO(printed.stdout)))


def test_runs_have_the_columns_of_their_data_frame(sqlite_url: str, ids: list[str]) -> None:
    second, first = _rows("runs", "--store", sqlite_url)

    assert [first["id"], second["id"]] == ids
    assert [first["tag.said"], second["tag.said"]] == ["so", _HOSTILE.replace("\x1b", "\\u001b")]
    assert [first["config.lr"], second["config.lr"]] == ["0.1", ""]
    assert [first["metric.train.loss"], second["metric.train.loss"]] == ["0.30000000000000004", "nan"]
    assert first["start_time"].endswith("+00:00")


def test_columns_that_are_asked_for_are_those_of_the_filter_language(sqlite_url: str, ids: list[str]) -> None:
    asked = "run,name,took,started,config.depth,metric.train.loss.count"

    second, _ = _rows("runs", "--columns", asked, "--store", sqlite_url)

    assert list(second) == ["id", "name", "duration", "start_time", "config.depth", "metric.train.loss.count"]
    assert (second["id"], second["config.depth"], second["metric.train.loss.count"]) == (ids[1], "18", "1")


def test_each_list_has_csv(sqlite_url: str, ids: list[str]) -> None:
    (experiment,) = _rows("experiments", "--store", sqlite_url)
    (artifact,) = _rows("artifacts", "ls", ids[0], "--store", sqlite_url)
    plugins = _rows("plugins")
    with open_store(sqlite_url, durable=False) as store:
        store.delete_run(ids[0])
    (deleted,) = _rows("runs", "--deleted", "--store", sqlite_url)

    assert (experiment["name"], experiment["description"]) == ("lungs", "CT, left")
    assert (artifact["name"], artifact["size"], artifact["is_stored"]) == ("weights.bin", "7", "true")
    assert artifact["metadata"] == '{"epoch":3}'
    assert "sqlite" in [plugin["name"] for plugin in plugins]
    assert (deleted["id"], deleted["experiment"]) == (ids[0], "lungs")


def test_json_and_csv_exclude_each_other() -> None:
    assert runstore("experiments", "--json", "--csv").returncode == 2


@pytest.mark.usefixtures("ids")
@pytest.mark.parametrize("form", ["--csv", "--json"])
def test_pages_follow_one_another_by_the_cursor_that_the_first_tells(sqlite_url: str, form: str) -> None:
    first = runstore("runs", "--limit", "1", form, "--store", sqlite_url)
    cursor = first.stderr.split("--cursor '")[1].split("'")[0]

    second = runstore("runs", "--limit", "1", "--cursor", cursor, form, "--store", sqlite_url)

    assert "plain" in second.stdout
    assert "plain" not in first.stdout
    assert second.stderr == ""
