"""The beginning of a Parquet file on its page, with pyarrow and without; hostile files harm nothing."""

import io
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from runstore import Store, open_store
from runstore_ui import Options, make_app
from runstore_ui.artifact import parquet_preview
from support.asgi import ask
from support.page_stores import HOSTILE


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path / 'runs.db'}", durable=False) as opened:
        opened.ensure_run(opened.get_or_create_experiment("e"), run_id="r")
        yield opened
        opened.finalize("r", "completed")


def page_of(store: Store, file: Path) -> str:
    store.log_artifact("r", file, name=file.name)
    return ask(make_app(store, Options(shown_url="")), f"/artifact?id=r&name={file.name}").text


def test_the_first_rows_of_a_parquet_file_are_a_table(store: Store, tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet  # noqa: PLC0415 - only where it is installed

    rows = 5000
    table = pa.table(
        {
            "case": [f"film {index}" for index in range(rows)],
            "score": [None, *(index / rows for index in range(1, rows))],
            HOSTILE: [HOSTILE] * rows,
            "bytes": [b"\0\1"] * rows,
            "several": [[1, 2]] * rows,
            "long": ["x" * 5000] * rows,
            **{f"more{index}": [index] * rows for index in range(60)},
        }
    )
    parquet.write_table(table, tmp_path / "scores.parquet", row_group_size=1000)
    text = page_of(store, tmp_path / "scores.parquet")

    assert "5,000 rows, 66 columns. The table begins so; rows shown: 200. These are the first 50 columns." in text
    assert "<td>film 199</td><td>0.0398</td>" in text
    assert "<td>film 0</td><td></td>" in text
    assert "<td>2 bytes</td><td>[1, 2]</td>" in text
    assert "film 200<" not in text
    assert HOSTILE not in text
    assert "x" * 201 not in text


def test_without_pyarrow_the_page_says_what_would_show_it(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    file = tmp_path / "scores.parquet"
    file.write_bytes(b"PAR1")

    assert "with pyarrow beside the page it is shown here" in page_of(store, file)


@pytest.mark.parametrize("content", [b"", b"PAR1" + b"\xff" * 1000 + b"\xff\xff\xff\x7fPAR1"])
def test_a_file_that_is_no_parquet_is_told_so(store: Store, tmp_path: Path, content: bytes) -> None:
    pytest.importorskip("pyarrow")
    file = tmp_path / "broken.parquet"
    file.write_bytes(content)

    assert "The beginning of this Parquet file is not shown: ArrowInvalid" in page_of(store, file)


@pytest.mark.skipif(sys.platform == "win32", reason="memory is bounded where there is setrlimit")
def test_a_file_that_unpacks_to_more_than_there_is_room_for_is_not_shown(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet  # noqa: PLC0415 - only where it is installed

    value = pa.array(["a" * (96 << 20)], pa.large_string())
    parquet.write_table(pa.table({"text": value}), tmp_path / "bomb.parquet", compression="zstd", use_dictionary=False)
    monkeypatch.setattr("runstore_ui.artifact.parquet._MEMORY", 384 << 20)
    assert (tmp_path / "bomb.parquet").stat().st_size < 1 << 20

    text = page_of(store, tmp_path / "bomb.parquet")
    assert "The beginning of this Parquet file is not shown" in text
    assert "emory" in text or "astray" in text


def test_bytes_turned_over_in_a_parquet_file_never_bring_the_page_down(store: Store, tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet  # noqa: PLC0415 - only where it is installed

    parquet.write_table(pa.table({"a": list(range(50)), "b": [str(each) for each in range(50)]}), tmp_path / "whole")
    whole = (tmp_path / "whole").read_bytes()
    for index in range(2):
        broken = bytearray(whole)
        for at in range(4 + index, len(broken) - 4, 37):
            broken[at] ^= 0xA5
        file = tmp_path / f"broken{index}.parquet"
        file.write_bytes(broken)
        assert 'role="note"' in page_of(store, file)


def test_a_file_in_memory_is_read_as_well(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet  # noqa: PLC0415 - only where it is installed

    parquet.write_table(pa.table({"a": [7]}), tmp_path / "file")
    found = parquet_preview(io.BytesIO((tmp_path / "file").read_bytes()))

    assert (found.heads, found.rows, found.remark) == (["a"], [["7"]], "1 row, 1 column.")
