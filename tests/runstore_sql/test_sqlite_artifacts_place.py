"""Where the artifacts of a SQLite file lie: beside the file itself, however it is reached."""

from pathlib import Path

import pytest

from runstore import open_reader, open_store


@pytest.fixture
def weights(fast_path: Path) -> Path:
    path = fast_path / "model.ckpt"
    path.write_bytes(b"weights")
    return path


def keep(path: Path, weights: Path) -> Path:
    """Logs an artifact through this path; where its bytes lie."""
    with open_store(f"sqlite:///{path}", durable=False) as store:
        run_id = store.ensure_run(store.get_or_create_experiment("experiment"), run_id="run")
        place = Path(store.log_artifact(run_id, weights).uri)
        store.finalize(run_id, "completed")
    return place


def kept(path: Path) -> bytes:
    with open_reader(f"sqlite:///{path}") as reader, reader.open_artifact("run", "model.ckpt") as stream:
        return stream.read()


def test_by_a_link_they_lie_beside_the_file_and_are_found_either_way(fast_path: Path, weights: Path) -> None:
    (fast_path / "data").mkdir()
    real, link = fast_path / "data" / "runs.db", fast_path / "link.db"
    link.symlink_to(real)  # before there is a file

    place = keep(link, weights)

    assert place.is_relative_to(fast_path / "data" / "runs.db.artifacts")
    assert kept(link) == kept(real) == b"weights"
    assert not (fast_path / "link.db.artifacts").exists()


def test_those_that_an_earlier_release_kept_beside_the_link_are_found(fast_path: Path, weights: Path) -> None:
    (fast_path / "data").mkdir()
    real, link = fast_path / "data" / "runs.db", fast_path / "link.db"
    real.touch()
    link.symlink_to(real)
    keep(link, weights)

    (fast_path / "data" / "runs.db.artifacts").rename(fast_path / "link.db.artifacts")

    assert kept(link) == b"weights"


def test_a_path_is_taken_letter_by_letter(fast_path: Path, weights: Path) -> None:
    folder = fast_path / "a::b [1]*#% é"
    folder.mkdir()

    place = keep(folder / "runs.db", weights)

    assert place.is_relative_to(folder / "runs.db.artifacts")
    assert kept(folder / "runs.db") == b"weights"
    assert sorted(each.name for each in fast_path.iterdir()) == [folder.name, "model.ckpt"]


def test_those_that_an_earlier_release_kept_before_two_colons_are_found(fast_path: Path, weights: Path) -> None:
    folder = fast_path / "a::b"
    folder.mkdir()
    keep(folder / "runs.db", weights)

    (folder / "runs.db.artifacts").rename(fast_path / "a")

    assert kept(folder / "runs.db") == b"weights"
