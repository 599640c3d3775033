"""Names that Windows cannot keep are known, and what runstore itself names its files by is none of them."""

from pathlib import Path

import pytest

from runstore import open_store
from runstore.errors import InvalidValueError
from runstore.local import files
from runstore.local.file_names import what_windows_minds
from runstore.model import MetricPoint
from support.walking import paths_below


@pytest.mark.parametrize(
    "part",
    ["con", "AUX", "nul.txt", "Com1.tar.gz", "LPT9", "com¹", "aux .txt", "a:b", "a?", "a*b", 'a"', "<a>", "a|b", "a\n"],
)
def test_a_device_or_a_character_that_means_something_else_is_minded(part: str) -> None:
    assert what_windows_minds(part) is not None


@pytest.mark.parametrize("part", ["a.", "a ", "...", "a. "])
def test_a_name_whose_end_would_be_dropped_is_minded(part: str) -> None:
    assert str(what_windows_minds(part)).startswith("ends with")


@pytest.mark.parametrize("part", ["best.ckpt", "console", "com", "com10", "auxiliary.txt", ".hidden", "ü ñ", ".", ".."])
def test_a_plain_name_is_not(part: str) -> None:
    assert what_windows_minds(part) is None


def test_every_file_that_a_store_and_its_journal_make_has_a_plain_name(
    fast_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNSTORE_STATE_DIR", str(fast_path / "state"))
    (tmp_path / "aux:1").write_bytes(b"an artifact")

    with open_store(f"sqlite:///{fast_path / 'my runs.db'}") as store:
        run_id = store.ensure_run(store.get_or_create_experiment("nul"))
        store.log_metrics(run_id, [MetricPoint(name="a:b", value=1.0, step=1)])
        store.log_artifact(run_id, tmp_path / "aux:1", name="con/a?")
        made = {path.name.lower() for path in paths_below(fast_path)}

    assert len(made) >= 8
    assert [name for name in made if what_windows_minds(name)] == []


def test_where_windows_would_keep_it_an_artifact_is_not_written_out_under_such_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_IS_WINDOWS", True)
    (tmp_path / "bytes").write_bytes(b"bytes")

    with (tmp_path / "bytes").open("rb") as source, pytest.raises(InvalidValueError) as raised:
        files.copy_out(source, tmp_path / "out" / "aux.txt", overwrite=True)

    assert "'aux.txt' is the name of a device; give another name" in str(raised.value)
    assert not (tmp_path / "out").exists()


def test_elsewhere_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_IS_WINDOWS", False)
    (tmp_path / "bytes").write_bytes(b"bytes")

    with (tmp_path / "bytes").open("rb") as source:
        files.copy_out(source, tmp_path / "aux:1")

    assert (tmp_path / "aux:1").read_bytes() == b"bytes"
