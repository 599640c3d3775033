"""Where an export goes: nothing that it has not made is ever replaced."""

from pathlib import Path

import pytest

from runstore.errors import InvalidValueError
from runstore.exporting import export
from runstore.memory import MemoryDatabase, MemoryStore
from runstore.moving.layout import Form


@pytest.fixture
def store() -> MemoryStore:
    store = MemoryStore(MemoryDatabase())
    store.finalize(store.ensure_run(store.get_or_create_experiment("x")), "completed")
    return store


@pytest.mark.parametrize("form", ["parquet", "csv", "json", "tensorboard"])
def test_an_export_of_each_form_gives_way_when_asked(form: Form, store: MemoryStore, tmp_path: Path) -> None:
    for _ in range(2):
        export(store, tmp_path / "out", form=form, replace=True)

    assert [each.name for each in tmp_path.iterdir()] == ["out"]


def test_what_somebody_has_put_into_an_export_is_not_lost_with_it(store: MemoryStore, tmp_path: Path) -> None:
    export(store, tmp_path / "out")
    (tmp_path / "out" / "notebook.ipynb").write_text("an evening's work")

    with pytest.raises(InvalidValueError, match=r"something else lies, 'notebook.ipynb'"):
        export(store, tmp_path / "out", replace=True)

    assert (tmp_path / "out" / "notebook.ipynb").read_text() == "an evening's work"


def test_a_folder_that_only_looks_like_an_export_stays(store: MemoryStore, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "runstore-export.json").write_text("{}")

    with pytest.raises(InvalidValueError, match="is no export"):
        export(store, tmp_path / "mine", replace=True)

    assert (tmp_path / "mine" / "runstore-export.json").exists()


def test_a_name_that_is_too_long_is_told(store: MemoryStore, tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match="cannot be written"):
        export(store, tmp_path / ("n" * 300))
