"""Which URLs name the same store: their writers share a folder, so that one drains what another left behind."""

import hashlib
from pathlib import Path

import pytest
from click.testing import CliRunner

from runstore import open_reader, open_store
from runstore.cli import app
from runstore.recording.places import (
    describe_root,
    identity_of,
    journal_folders,
    journal_root,
    known_stores,
    noted_stores,
)
from support.servers import private_server


@pytest.mark.parametrize(
    "urls",
    [
        (
            "postgresql://me@host/runs",
            "postgresql://me:secret@host/runs",
            "postgresql://me:another@HOST:5432/runs",
            "PostgreSQL://me@host/runs?password=secret",
            "postgres://me@host/runs",
            "postgresql+psycopg://me@host/runs",
            "postgresql://me@host/runs?connect_timeout=3",
            "postgresql://me@host/runs?partition_series=1000&sslmode=require",
        ),
        (
            "mysql://me@host/runs",
            "mysql://me:secret@host:3306/runs",
            "mariadb://me@host/runs",
            "mysql+pymysql://me@host/runs?read_timeout=5",
        ),
        ("postgresql://me@a:5433,b/runs", "postgresql://me@b:5432,A:5433/runs?target_session_attrs=read-write"),
        ("mysql://me@a,b:3307/runs", "mariadb://me@b:3307,a:3306/runs"),
        (
            "mongodb://a,b,c/runs",
            "mongodb://c,a:27017,b/runs",
            "mongodb://a:27017,b,c:27017/runs",
            "mongodb://a,b,c/runs?replicaSet=rs0&appname=x",
        ),
        ("sqlite:////data/runs.db", "sqlite:////data/runs.db?timeout=30", "sqlite:////data/../data/runs.db"),
    ],
)
def test_however_it_is_written_it_is_the_same_store(urls: tuple[str, ...]) -> None:
    assert len({identity_of(url) for url in urls}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("postgresql://host/runs", "postgresql://host/others"),
        ("postgresql://host/runs", "postgresql://host/runs?options=-csearch_path%3Dlab"),
        ("postgresql://host/runs", "postgresql://other/runs"),
        ("postgresql://me@host/runs", "postgresql://you@host/runs"),
        ("postgresql://host/runs", "postgresql://host:5433/runs"),
        ("mongodb://host/runs", "mongodb+srv://host/runs"),
        ("sqlite:////data/runs.db", "sqlite:////data/others.db"),
        ("theirs://host/runs?shard=1", "theirs://host/runs?shard=2"),
    ],
)
def test_what_may_be_another_database_is_another_store(one: str, other: str) -> None:
    assert identity_of(one) != identity_of(other)


def test_a_file_is_known_by_its_real_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    monkeypatch.chdir(tmp_path)

    assert identity_of("sqlite:///runs.db") == identity_of(f"sqlite:///{tmp_path}/link/runs.db")


def test_no_password_is_in_an_identity() -> None:
    assert "secret" not in identity_of("postgresql://me:secret@host/runs?password=secret&options=x")


def test_a_folder_that_an_older_release_named_otherwise_is_found_and_gone_on_with(tmp_path: Path) -> None:
    folders = []
    for older in ("postgresql://me:***@host/runs", "postgresql://me@host:5432/runs"):
        folder = tmp_path / "journals" / hashlib.sha256(older.encode()).hexdigest()[:16]
        folder.mkdir(parents=True)
        describe_root(folder, older, older)
        folders.append(folder)
    identity = identity_of("postgresql://me:secret@host/runs")

    assert journal_root(identity, tmp_path) in folders
    assert set(journal_folders(identity, tmp_path)) == set(folders)
    assert noted_stores(tmp_path)[identity].url == "postgresql://me:***@host/runs"


@pytest.mark.server
def test_a_journal_begun_without_the_password_is_sent_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNSTORE_STATE_DIR", str(tmp_path))
    with private_server("postgresql", durable=False) as server:
        url = server.new_database()
        server.stop()
        store = open_store(url)
        run_id = store.ensure_run(store.get_or_create_experiment("x"))
        store.finalize(run_id, "completed")
        store.close()
        server.start()

        done = CliRunner().invoke(app, ["sync", "--store", url.replace("postgres@", "postgres:secret@")])

        assert done.exit_code == 0, done.output
        with open_reader(url) as reader:
            assert reader.get_run(run_id).status == "completed"
        assert known_stores(tmp_path) == {}
