"""Large files of a run: checked once for all parts of a download, and looked into without being shown whole."""

import hashlib
import os
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from runstore import Store, open_store
from runstore.artifacts.verifying import open_verified
from runstore.model import Artifact
from runstore_ui import Options, make_app
from runstore_ui.artifact import KeptFiles, folders_of
from support.asgi import Answer, ask

SIZE = 20 << 20


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, Path]]:
    """A store with files that are kept open, and its folder."""
    folder = tmp_path_factory.mktemp("large")
    with open_store(f"sqlite:///{folder / 'runs.db'}", durable=False) as store:
        run = store.ensure_run(store.get_or_create_experiment("e"), run_id="r")
        for name, start in (
            ("rows.csv", b"name,score\none,0.5\n"),
            ("weights.bin", b"\0weights"),
            ("run.log", b"first line\n"),
        ):
            file = folder / "file"
            file.write_bytes(start)
            os.truncate(file, SIZE)
            with file.open("r+b") as opened:
                opened.seek(-1, os.SEEK_END)
                opened.write(start[:1])
            store.log_artifact(run, file, name=name)
        store.finalize(run, "completed")
        yield store, folder


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the artifacts whose bytes were checked, in order."""
    names: list[str] = []

    def counted(artifact: Any, blobs: Any) -> Any:
        names.append(artifact.name)
        return open_verified(artifact, blobs)

    monkeypatch.setattr("runstore.backend.reading.open_verified", counted)
    return names


def part(app: Any, name: str, asked: str) -> Answer:
    return ask(app, f"/file?id=r&name={quote(name)}", headers={"range": asked})


def test_a_file_is_checked_once_for_all_parts_of_a_download(large: tuple[Store, Path], checked: list[str]) -> None:
    app = make_app(large[0], Options(shown_url=""))
    step = SIZE // 4
    parts = [part(app, "weights.bin", f"bytes={start}-{start + step - 1}") for start in range(0, SIZE, step)]

    record = next(each for each in large[0].list_artifacts("r") if each.name == "weights.bin")
    assert [each.status for each in parts] == [206] * 4
    assert hashlib.sha256(b"".join(each.body for each in parts)).hexdigest() == record.sha256
    assert checked == ["weights.bin"]


def test_parts_that_are_asked_for_at_once_are_each_their_own(large: tuple[Store, Path], checked: list[str]) -> None:
    app = make_app(large[0], Options(shown_url=""))
    found: dict[int, bytes] = {}

    def take(start: int) -> None:
        found[start] = part(app, "run.log", f"bytes={start}-{start + 3}").body

    threads = [threading.Thread(target=take, args=(start,)) for start in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert found == {start: b"first line\n"[start : start + 4] for start in range(6)}
    assert checked == ["run.log"]


def test_the_beginning_of_a_large_table_or_text_is_shown_and_of_other_files_nothing_is_read(
    tmp_path: Path, checked: list[str]
) -> None:
    table, weights = tmp_path / "file.csv", tmp_path / "weights.bin"
    table.write_bytes(b"name,score\n" + b"one,0.5\n" * 10_000)
    weights.touch()
    for each in (table, weights):
        os.truncate(each, 65 << 20)
    with open_store(f"sqlite:///{tmp_path / 'runs.db'}", durable=False) as store:
        run = store.ensure_run(store.get_or_create_experiment("e"), run_id="r")
        for each in (table, weights):
            store.log_artifact(run, each, name=each.name)
        store.finalize(run, "completed")
        app = make_app(store, Options(shown_url=""))
        shown, other = (ask(app, f"/artifact?id=r&name={each.name}").text for each in (table, weights))

    assert "rows shown: 200." in shown
    assert "Of 68.2 MB nothing is shown" in other
    assert checked == ["file.csv"]


def test_a_file_that_was_damaged_is_refused_once_its_checked_copy_is_gone(tmp_path: Path) -> None:
    content = b"a" * 1000
    (tmp_path / "file").write_bytes(content)
    with open_store(f"sqlite:///{tmp_path / 'runs.db'}", durable=False) as store:
        run = store.ensure_run(store.get_or_create_experiment("e"), run_id="r")
        artifact = store.log_artifact(run, tmp_path / "file", name="file")
        store.finalize(run, "completed")
        files = KeptFiles(least_bytes=1)
        with files.open(store, artifact) as first:
            start = first.read(10)
        blob = Path(artifact.uri.removeprefix("file://"))
        blob.chmod(0o600)
        blob.write_bytes(b"b" * 1000)
        with files.open(store, artifact) as again:
            again.seek(-10, os.SEEK_END)
            end = again.read()
        with pytest.raises(Exception, match="should be 1000 bytes"):
            KeptFiles(least_bytes=1).open(store, artifact)

    assert (start, end) == (content[:10], content[-10:]), "what was checked is what is read"


def test_of_very_many_or_very_large_pictures_some_are_names_alone() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)

    def shown(count: int, size: int) -> int:
        files = [
            Artifact(
                run_id="r",
                name=f"{index:04}.png",
                artifact_type="image",
                uri="u",
                sha256="0" * 64,
                size=size,
                is_stored=True,
                created_at=now,
            )
            for index in range(count)
        ]
        (folder,) = folders_of(files)
        assert folder.count == len(folder.files) == count
        return sum(bool(each.thumbnail) for each in folder.files)

    assert (shown(300, 1000), shown(100, 1 << 20), shown(3, 5 << 20)) == (200, 64, 0)
