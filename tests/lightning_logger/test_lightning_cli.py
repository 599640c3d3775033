"""The logger in a LightningCLI's YAML file."""

from pathlib import Path

import pytest
import yaml
from pytorch_lightning.cli import LightningCLI
from pytorch_lightning.demos.boring_classes import BoringDataModule

import runstore.lightning
from lightning_logger.models import Model
from runstore.lightning import RunStoreLogger
from runstore.memory.store import MemoryStore
from runstore.opening.stores import open_store

pytestmark = pytest.mark.training


def write_config(folder: Path, url: str, **options: object) -> Path:
    config = folder / "project.yaml"
    arguments = {
        "url": url,
        "experiment": "from yaml",
        "tags": {"owner": "me"},
        "durable": False,
        "save_dir": str(folder / "files"),
    }
    trainer = {
        "max_steps": 1,
        "limit_val_batches": 1,
        "log_every_n_steps": 1,
        "accelerator": "cpu",
        "enable_progress_bar": False,
        "logger": {"class_path": "runstore.lightning.RunStoreLogger", "init_args": arguments | options},
    }
    config.write_text(yaml.safe_dump({"trainer": trainer, "model": {"lr": 0.25}}))
    return config


def test_a_yaml_file_names_the_logger_and_its_options_and_trains_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    url = f"sqlite:///{tmp_path}/runs.db"
    config = write_config(tmp_path, url, log_model="all")

    for _ in range(2):
        cli = LightningCLI(Model, BoringDataModule, args=["fit", "--config", str(config)])

    assert isinstance(cli.trainer.logger, RunStoreLogger)
    with open_store(url, durable=False) as store:
        runs = store.search_runs().items
        assert [run.status for run in runs] == ["completed", "completed"]
        assert {path.parent.name for path in (tmp_path / "files").rglob("config.yaml")} == {run.id for run in runs}
        for run in runs:
            assert run.tags == {"owner": "me"}
            assert store.get_config(run.id)["lr"] == 0.25
            assert store.get_experiment(run.experiment_id).name == "from yaml"
            assert [artifact.artifact_type for artifact in store.list_artifacts(run.id)] == ["checkpoint", "config"]


def test_the_configuration_is_kept_with_the_run_and_shows_no_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, store: MemoryStore
) -> None:
    class Elsewhere(RunStoreLogger):
        """Keeps its runs in the test's store, whatever the URL."""

        def __init__(self, url: str, save_dir: str) -> None:
            super().__init__(store=store, save_dir=save_dir)
            self.url = url

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(runstore.lightning, "Elsewhere", Elsewhere, raising=False)
    config = tmp_path / "project.yaml"
    told = {
        "class_path": "runstore.lightning.Elsewhere",
        "init_args": {"url": "postgresql://me:hunter2@db/lab", "save_dir": str(tmp_path)},
    }
    trainer = {
        "max_steps": 1,
        "limit_val_batches": 0,
        "accelerator": "cpu",
        "enable_progress_bar": False,
        "logger": told,
    }
    config.write_text(yaml.safe_dump({"trainer": trainer, "model": {"lr": 0.25}}))

    LightningCLI(Model, BoringDataModule, args=["fit", "--config", str(config)])

    (run,) = store.search_runs().items
    with store.open_artifact(run.id, "config.yaml") as file:
        text = file.read().decode()
    assert "hunter2" not in text
    assert yaml.safe_load(text)["model"] == {"lr": 0.25}
