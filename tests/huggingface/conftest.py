"""A store, and no other place for what a training leaves."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from runstore.memory.store import MemoryStore
from runstore.training import ending


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            # What the libraries say of each other and of small trainings is theirs; our own warnings stay errors.
            for module in ("transformers", "accelerate", "torch", "huggingface_hub"):
                item.add_marker(pytest.mark.filterwarnings(f"ignore::Warning:{module}"))


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RUNSTORE_URL", raising=False)
    yield
    ending._waiting.take()  # noqa: SLF001 - a test's process goes on, its stores do not


@pytest.fixture
def store() -> Iterator[MemoryStore]:
    with MemoryStore() as opened:
        yield opened
