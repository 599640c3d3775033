"""A store is known as the same one, however its URL is written."""

from pathlib import Path

import pytest

from runstore.cli.same_stores import are_same_store


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("postgresql://me@127.0.0.1/lab", "postgres://127.0.0.1:5432/lab"),
        ("postgresql://me@127.0.0.1/lab", "postgresql://you:word@localhost/lab?connect_timeout=3"),
        ("mariadb://me@localhost:3307/lab", "mysql://root@127.0.0.1:3307/lab"),
        ("mongodb://192.0.2.1,127.0.0.1/lab", "mongodb://me@localhost:27017/lab?w=1"),
    ],
)
def test_another_user_or_another_name_of_a_host_is_the_same_store(one: str, other: str) -> None:
    assert are_same_store(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("postgresql://me@127.0.0.1/lab", "postgresql://me@127.0.0.1/other"),
        ("postgresql://me@127.0.0.1/lab", "postgresql://me@127.0.0.1:5433/lab"),
        ("postgresql://me@127.0.0.1/lab", "postgresql://me@127.0.0.1/lab?options=-csearch_path%3Dtheirs"),
        ("postgresql://me@127.0.0.1", "postgresql://you@127.0.0.1"),
        ("postgresql://me@127.0.0.1/lab", "mysql://me@127.0.0.1:5432/lab"),
        ("postgresql://me@192.0.2.1/lab", "postgresql://me@192.0.2.2/lab"),
        ("mongodb+srv://example.org/lab", "mongodb://example.org/lab"),
        ("sqlite:///one.db", "sqlite:///two.db"),
        ("sqlite:///lab", "postgresql://me@127.0.0.1/lab"),
        ("memory://", "sqlite:///lab"),
    ],
)
def test_others_are_not(one: str, other: str) -> None:
    assert not are_same_store(one, other)


def test_a_second_link_to_a_file_is_the_same_store(tmp_path: Path) -> None:
    (tmp_path / "runs.db").touch()
    (tmp_path / "hard.db").hardlink_to(tmp_path / "runs.db")
    (tmp_path / "soft.db").symlink_to("runs.db")

    for name in ("hard.db", "soft.db", "../" + tmp_path.name + "/runs.db"):
        assert are_same_store(f"sqlite:///{tmp_path}/runs.db", f"sqlite:///{tmp_path}/{name}")
