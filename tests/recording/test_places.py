"""Which URLs name the same store: their writers share a folder, so that one drains what another left behind."""

from pathlib import Path

import pytest

from runstore.recording.places import identity_of


@pytest.mark.parametrize(
    "urls",
    [
        (
            "postgresql://me@host/runs",
            "postgres://me@host/runs",
            "postgresql+psycopg://me@host/runs",
            "postgresql://me@host/runs?connect_timeout=3",
            "postgresql://me@host/runs?partition_series=1000&sslmode=require",
        ),
        ("mysql://me@host/runs", "mariadb://me@host/runs", "mysql+pymysql://me@host/runs?read_timeout=5"),
        ("mongodb://a,b,c/runs", "mongodb://a,b,c/runs?replicaSet=rs0&appname=x"),
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
