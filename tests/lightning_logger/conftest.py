"""A store, a trainer that is quick and quiet, and Lightning's process-wide state put back after each test."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from lightning_fabric.utilities.rank_zero import rank_zero_only
from pytorch_lightning import Trainer

from runstore.memory.store import MemoryStore
from runstore.training import ending


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            # What Lightning and torch say of each other and of small trainings is theirs; our own warnings stay errors.
            for module in ("lightning", "pytorch_lightning", "torch", "jsonargparse"):
                item.add_marker(pytest.mark.filterwarnings(f"ignore::Warning:{module}"))


@pytest.fixture(autouse=True)
def _lightning_state(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    monkeypatch.chdir(tmp_path_factory.mktemp("here"))  # where loggers put their files by default
    monkeypatch.delenv("PL_GLOBAL_SEED", raising=False)
    monkeypatch.delenv("RUNSTORE_URL", raising=False)
    monkeypatch.setattr(rank_zero_only, "rank", 0)
    yield
    ending._waiting.take()  # noqa: SLF001 - a test's process goes on, its stores do not


@pytest.fixture
def store() -> Iterator[MemoryStore]:
    with MemoryStore() as opened:
        yield opened


@pytest.fixture
def make_trainer(tmp_path: Path) -> Callable[..., Trainer]:
    def make(**options: Any) -> Trainer:
        quick: dict[str, Any] = {
            "max_epochs": 1,
            "limit_train_batches": 2,
            "limit_val_batches": 1,
            "limit_test_batches": 1,
            "limit_predict_batches": 1,
            "log_every_n_steps": 1,
            "accelerator": "cpu",
            "devices": 1,
            "default_root_dir": tmp_path,
            "enable_progress_bar": False,
            "enable_model_summary": False,
        }
        return Trainer(**quick | options)

    return make
