"""A directory or a zip: what is chosen, what never is, what is refused, and that nothing stays behind."""

import shutil
import stat
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from pneumo_train.config import load_config
from pneumo_train.errors import SourceError
from pneumo_train.source import open_source, validate_source

WriteSource = Callable[..., Path]
ROWS = [("a", 0), ("b", 1)]


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory for temporary files, of this test alone."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def zipped(root: Path, target: Path, *, prefix: str = "") -> Path:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(root.rglob("*")):
            if file.is_file():
                archive.write(file, prefix + file.relative_to(root).as_posix())
    return target


def test_the_rsna_processed_layout_is_found(write_source: WriteSource) -> None:
    root = write_source(ROWS)

    with open_source(root) as source:
        assert source.csv_path == root / "stage2_train_metadata.csv"
        assert source.images["a"] == source.images["a.png"] == root / "Training/Images/a.png"


def test_images_beside_the_csv_are_found(write_source: WriteSource) -> None:
    root = write_source(ROWS, images=["a.png", "b.jpeg"], table="films.csv")

    with open_source(root) as source:
        assert source.csv_path == root / "films.csv"
        assert source.images["b"] == root / "b.jpeg"


def test_a_named_csv_wins(write_source: WriteSource) -> None:
    root = write_source(ROWS)
    write_source(ROWS, table="other.csv")

    with open_source(root, load_config(overrides={"data.csv_filename": "other.csv"}).data) as source:
        assert source.csv_path.name == "other.csv"


@pytest.mark.parametrize("name", ["stage2_test_metadata.csv", "a_test.csv", "Test.csv", "TESTSET.csv"])
def test_a_test_csv_is_never_chosen(write_source: WriteSource, name: str) -> None:
    root = write_source(ROWS, table=name, images=["Training/Images/a.png"])

    with pytest.raises(SourceError, match="no CSV with the columns"), open_source(root):
        pass


def test_a_name_that_only_contains_the_letters_of_test_is_no_test_csv(write_source: WriteSource) -> None:
    root = write_source(ROWS, table="latest_contest.csv")

    with open_source(root) as source:
        assert source.csv_path.name == "latest_contest.csv"


def test_masks_and_test_images_are_never_chosen(write_source: WriteSource) -> None:
    root = write_source(
        ROWS,
        images=["Masks/a.png", "Training/Masks/a.png", "Test/a.png", "Training/Images/a.png", "Training/Images/b.png"],
    )

    with open_source(root) as source:
        assert set(source.images.values()) == {root / "Training/Images/a.png", root / "Training/Images/b.png"}


def test_a_source_with_masks_alone_has_no_images(write_source: WriteSource) -> None:
    root = write_source(ROWS, images=["Masks/a.png", "Masks/b.png"])

    with pytest.raises(SourceError, match=r"no image .* not counting folders of masks"), open_source(root):
        pass


def test_a_named_image_folder_wins(write_source: WriteSource) -> None:
    root = write_source(ROWS, images=["Training/Images/a.png", "elsewhere/a.png", "elsewhere/b.png"])

    with open_source(root, load_config(overrides={"data.images_dir": "elsewhere"}).data) as source:
        assert source.images["a"] == root / "elsewhere/a.png"


def test_several_possible_csv_files_are_an_error_that_names_them(write_source: WriteSource) -> None:
    root = write_source(ROWS, table="one.csv")
    write_source(ROWS, table="two.csv")

    with (
        pytest.raises(SourceError, match=r"2 CSV files could be meant: one\.csv, two\.csv; name one"),
        open_source(root),
    ):
        pass


def test_a_csv_without_the_columns_is_an_error_that_names_them_and_what_was_found(write_source: WriteSource) -> None:
    root = write_source(ROWS, columns=("id", "label"), images=["Training/Images/a.png"])

    with (
        pytest.raises(SourceError, match=r"'patientId' and 'Target'; found stage2_train_metadata\.csv"),
        open_source(root),
    ):
        pass


def test_two_images_of_one_name_are_an_error_that_names_both(write_source: WriteSource) -> None:
    root = write_source(ROWS, images=["Training/Images/x/a.png", "Training/Images/y/a.png"])

    with (
        pytest.raises(SourceError, match=r"called 'a': Training/Images/x/a\.png and Training/Images/y/a\.png"),
        open_source(root),
    ):
        pass


def test_a_missing_path_says_that_nothing_is_there(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="found nothing; name a directory or a zip"), open_source(tmp_path / "absent"):
        pass


def test_a_zip_gives_the_same_as_its_directory_and_leaves_nothing_behind(
    write_source: WriteSource, tmp_path: Path, temporary: Path
) -> None:
    archive = zipped(write_source(ROWS), tmp_path / "films.zip", prefix="films/")

    with open_source(archive) as source:
        assert source.csv_path.read_text(encoding="utf-8").startswith("patientId")
        assert source.images["b"].is_file()
        assert list(temporary.iterdir()) != []

    assert list(temporary.iterdir()) == []


def test_a_zip_leaves_nothing_behind_after_an_error(write_source: WriteSource, tmp_path: Path, temporary: Path) -> None:
    archive = zipped(write_source(ROWS), tmp_path / "films.zip")

    with pytest.raises(RuntimeError, match="on the way"), open_source(archive):
        raise RuntimeError("on the way")

    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("../evil.csv", "leaves the archive"),
        ("Training/../../evil.png", "leaves the archive"),
        ("/etc/evil.csv", "an absolute path"),
        ("C:/evil.csv", "an absolute path"),
        ("Training\\..\\evil.png", "leaves the archive"),
    ],
)
def test_a_zip_member_that_could_land_elsewhere_is_refused(
    write_source: WriteSource, tmp_path: Path, temporary: Path, name: str, reason: str
) -> None:
    archive = zipped(write_source(ROWS), tmp_path / "films.zip")
    with zipfile.ZipFile(archive, "a") as writer:
        writer.writestr(name, "x")

    with pytest.raises(SourceError, match=f"is refused: .*{reason}.*; nothing was unpacked"), open_source(archive):
        pass

    assert list(temporary.iterdir()) == []
    assert not (tmp_path / "evil.csv").exists()


def test_a_zip_with_a_symbolic_link_is_refused(write_source: WriteSource, tmp_path: Path) -> None:
    archive = zipped(write_source(ROWS), tmp_path / "films.zip")
    link = zipfile.ZipInfo("Training/Images/link.png")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(archive, "a") as writer:
        writer.writestr(link, "/etc/passwd")

    with pytest.raises(SourceError, match="a symbolic link"), open_source(archive):
        pass


def test_a_zip_bomb_is_refused(write_source: WriteSource, tmp_path: Path) -> None:
    archive = zipped(write_source(ROWS), tmp_path / "films.zip")
    with zipfile.ZipFile(archive, "a", zipfile.ZIP_DEFLATED) as writer:
        writer.writestr("Training/Images/zeros.png", b"\0" * (8 << 20))

    with pytest.raises(SourceError, match="as in a zip bomb"), open_source(archive):
        pass


def test_a_zip_that_needs_more_room_than_there_is_is_refused_before_unpacking(
    write_source: WriteSource, tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = zipped(write_source(ROWS), tmp_path / "films.zip")
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: type("Usage", (), {"free": 10})())

    with pytest.raises(SourceError, match=r"bytes unpacked, 10 are free"), open_source(archive):
        pass

    assert list(temporary.iterdir()) == []


def test_a_damaged_zip_is_an_error_that_names_the_member(write_source: WriteSource, tmp_path: Path) -> None:
    archive = zipped(write_source(ROWS), tmp_path / "films.zip")
    content = bytearray(archive.read_bytes())
    place = content.index(b"a.png") + 40
    content[place : place + 8] = b"\xff" * 8
    archive.write_bytes(content)

    with (
        pytest.raises(SourceError, match=r"films\.zip: member Training/Images/a\.png is damaged"),
        open_source(archive),
    ):
        pass


def test_images_behind_a_symbolic_link_are_found_and_a_circle_of_links_ends(
    write_source: WriteSource, tmp_path: Path
) -> None:
    root = write_source(ROWS, images=["../elsewhere/a.png", "../elsewhere/b.png"])
    (root / "Training").mkdir()
    (root / "Training" / "Images").symlink_to(tmp_path / "elsewhere")
    (root / "Training" / "circle").symlink_to(root)

    with open_source(root) as source:
        assert source.images["a"] == root / "Training" / "Images" / "a.png"


def test_validating_a_source_says_what_would_be_used(write_source: WriteSource) -> None:
    root = write_source(ROWS)
    (root / "notes.txt").write_text("x", encoding="utf-8")

    assert validate_source(root) == {
        "valid": True,
        "csv_files": ["stage2_train_metadata.csv"],
        "csv_file": "stage2_train_metadata.csv",
        "image_count": 2,
        "total_files": 4,
        "error": None,
    }


def test_validating_a_bad_source_gives_the_error(tmp_path: Path) -> None:
    report = validate_source(tmp_path)

    assert report["valid"] is False
    assert "no CSV" in report["error"]
