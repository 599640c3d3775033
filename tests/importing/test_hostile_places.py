"""Files and folders that somebody made to harm, or a broken disk: told with their place, and never a traceback."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from runstore.errors import SourceError
from runstore.importing import ImportReport, bring_from, source_at
from runstore.importing.report import Told
from runstore.memory import MemoryDatabase, MemoryStore
from runstore.moving import Outcome


@pytest.fixture
def store() -> Iterator[MemoryStore]:
    with MemoryStore(MemoryDatabase()) as store:
        yield store


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of Lightning's CSVLogger."""
    folder = tmp_path / "version_0"
    folder.mkdir()
    (folder / "metrics.csv").write_text("step,loss\n0,0.5\n1,0.25\n")
    return folder


def brought(place: Path | str, store: MemoryStore) -> ImportReport:
    return bring_from(source_at(str(place)), store)


@pytest.mark.parametrize("steps", [[2**63], [-(2**63) - 1], [10**30, 0], [-(2**63), 2**63 - 1]])
def test_steps_that_no_store_takes_are_counted(steps: list[int], folder: Path, store: MemoryStore) -> None:
    (folder / "metrics.csv").write_text("step,loss\n" + "".join(f"{step},0.5\n" for step in steps))

    report = brought(folder, store)

    assert report.is_whole
    assert Told.STEPS_COUNTED in {each.what for each in report.findings}
    (run,) = store.iter_runs()
    assert list(store.get_history(run.id, "loss", "other").steps) == list(range(len(steps)))


def test_a_time_in_yaml_that_is_none_is_told(folder: Path, store: MemoryStore) -> None:
    (folder / "hparams.yaml").write_text("began: !!timestamp 99999-01-01\n")

    report = brought(folder, store)

    assert ["hparams.yaml" in each.text for each in report.findings if each.what is Told.UNREADABLE] == [True]


@pytest.mark.parametrize("time_s", [4e15, -9e10])
def test_a_file_whose_time_lies_in_no_year_has_that_of_its_run(
    time_s: float, fast_path: Path, store: MemoryStore
) -> None:
    run = fast_path / "sacred" / "1"
    run.mkdir(parents=True)
    (run / "run.json").write_text(
        '{"status": "COMPLETED", "start_time": "2024-05-17T08:30:00", "experiment": {"name": "x"}}'
    )
    (run / "config.json").write_text("{}")
    (run / "weights.bin").write_bytes(b"weights")
    try:
        os.utime(run / "weights.bin", (time_s, time_s))
    except OSError:
        pytest.skip("no such time can be set here")

    report = brought(fast_path / "sacred", store)

    assert report.is_whole
    (found,) = store.iter_runs()
    assert [(each.name, each.created_at) for each in store.list_artifacts(found.id)] == [
        ("weights.bin", found.start_time)
    ]


@pytest.mark.skipif(os.name != "posix", reason="names are Unicode there")
def test_a_folder_whose_name_is_no_unicode_is_brought_once(tmp_path: Path, store: MemoryStore) -> None:
    folder = os.fsencode(tmp_path) + b"/\xff\xfe\x1b[2J"
    try:
        os.mkdir(folder)  # noqa: PTH102 - a path is text
    except OSError:
        pytest.skip("no such name can be given here")
    Path(os.fsdecode(folder), "metrics.csv").write_text("step,loss\n0,0.5\n")

    first, second = brought(tmp_path, store), brought(tmp_path, store)

    assert (first.brought.runs, second.brought.runs) == ({Outcome.NEW: 1}, {Outcome.UNCHANGED: 1})


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no such pipes there")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "runs.db")

    with pytest.raises(SourceError, match="no plain file"):
        source_at(str(tmp_path / "runs.db"))


def test_a_database_whose_own_tables_have_no_names_in_unicode_is_told(tmp_path: Path) -> None:
    path = tmp_path / "trackio.db"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE metrics_aaaa (id)")
    path.write_bytes(path.read_bytes().replace(b"metrics_aaaa", b"metrics_\xff'\xa1)"))

    for place in (path, tmp_path):
        with pytest.raises(SourceError, match="cannot be read"):
            source_at(str(place))
