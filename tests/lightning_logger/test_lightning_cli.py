"""The logger in a LightningCLI's YAML file."""

from pathlib import Path

import pytest
import yaml
from pytorch_lightning.cli import LightningCLI
from pytorch_lightning.demos.boring_classes import BoringDataModule

from lightning_logger.models import Model
from runstore.lightning import RunStoreLogger
from runstore.opening import open_store

pytestmark = pytest.mark.training


def test_a_yaml_file_names_the_logger_and_its_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    url = f"sqlite:///{tmp_path}/runs.db"
    config = tmp_path / "config.yaml"
    config.write_text(
        yaml.safe_dump(
            {
                "trainer": {
                    "max_steps": 1,
                    "limit_val_batches": 1,
                    "log_every_n_steps": 1,
                    "accelerator": "cpu",
                    "enable_progress_bar": False,
                    "logger": {
                        "class_path": "runstore.lightning.RunStoreLogger",
                        "init_args": {
                            "url": url,
                            "experiment": "from yaml",
                            "tags": {"owner": "me"},
                            "log_model": "all",
                            "durable": False,
                            "save_dir": str(tmp_path / "files"),
                        },
                    },
                },
                "model": {"lr": 0.25},
            }
        )
    )

    cli = LightningCLI(Model, BoringDataModule, args=["fit", "--config", str(config)])

    assert isinstance(cli.trainer.logger, RunStoreLogger)
    assert (tmp_path / "files" / "config.yaml").exists()
    with open_store(url, durable=False) as store:
        (run,) = store.search_runs().items
        assert run.status == "completed"
        assert run.tags == {"owner": "me"}
        assert store.get_config(run.id)["lr"] == 0.25
        assert store.get_experiment(run.experiment_id).name == "from yaml"
        assert len(store.list_artifacts(run.id)) == 1
