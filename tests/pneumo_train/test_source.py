"""A directory or a zip: what is chosen, what never is, what is refused, and that nothing stays behind."""

import os
import re
import shutil
import stat
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from pneumo_train.config.settings import load_config
from pneumo_train.errors import SourceError
from pneumo_train.sources.source import open_source

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
        assert source.images.find("a") == source.images.find("a.png") == root / "Training/Images/a.png"


def test_images_beside_the_csv_are_found(write_source: WriteSource) -> None:
    root = write_source(ROWS, images=["a.png", "b.jpeg"], table="films.csv")

    with open_source(root) as source:
        assert source.csv_path == root / "films.csv"
        assert source.images.find("b") == root / "b.jpeg"


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
        assert len(source.images) == 2
        assert source.images.find("a") == root / "Training/Images/a.png"


def test_a_source_with_masks_alone_has_no_images(write_source: WriteSource) -> None:
    root = write_source(ROWS, images=["Masks/a.png", "Masks/b.png"])

    with pytest.raises(SourceError, match=r"no image .* not counting folders of masks"), open_source(root):
        pass


def test_a_named_image_folder_wins(write_source: WriteSource) -> None:
    root = write_source(ROWS, images=["Training/Images/a.png", "elsewhere/a.png", "elsewhere/b.png"])

    with open_source(root, load_config(overrides={"data.images_dir": "elsewhere"}).data) as source:
        assert source.images.find("a") == root / "elsewhere/a.png"


def test_several_possible_csv_files_are_an_error_that_names_them(write_source: WriteSource) -> None:
    root = write_source(ROWS, table="one.csv")
    write_source(ROWS, table="two.csv")

    with (
        pytest.raises(SourceError, match=r"2 CSV files could be meant: one\.csv, two\.csv; name one"),
        open_source(root),
    ):
        pass


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("id,label", "found films.csv has the columns id, label; add one"),
        ("patientId;Target", "films.csv has the one column patientId;Target: is its separator a semicolon?"),
        ("patientId\tTarget", r"films.csv has the one column patientId\tTarget: is its separator a tab?"),
        ("patientId|Target", "is its separator a vertical bar?"),
        ("Patient ID,target", "has the columns Patient ID, target ('Patient ID' for 'patientId'?) ('target' for"),
        ("", "films.csv is empty, or its first line is"),
    ],
)
def test_a_csv_without_the_columns_is_an_error_that_says_which_there_are(
    tmp_path: Path, header: str, found: str
) -> None:
    (tmp_path / "films.csv").write_text(header + "\n" if header else "", encoding="utf-8")

    with pytest.raises(SourceError, match=re.escape(found)), open_source(tmp_path):
        pass


def test_a_table_in_another_format_is_named(tmp_path: Path) -> None:
    (tmp_path / "films.xlsx").write_bytes(b"PK")

    with pytest.raises(SourceError, match=r"no CSV at all, but films\.xlsx: save it as CSV"), open_source(tmp_path):
        pass


def test_the_table_itself_is_no_source(write_source: WriteSource) -> None:
    root = write_source(ROWS, table="films.csv")

    with pytest.raises(SourceError, match="name the folder that it lies in"), open_source(root / "films.csv"):
        pass


def test_a_csv_in_another_encoding_is_named(tmp_path: Path) -> None:
    (tmp_path / "films.csv").write_text("patientId,Target\na,1\n", encoding="utf-16")

    with pytest.raises(SourceError, match=r"films\.csv is not UTF-8; save it as CSV UTF-8"), open_source(tmp_path):
        pass


def test_images_of_another_kind_are_counted(write_source: WriteSource) -> None:
    root = write_source(ROWS, images=[])
    for name in ("a.tif", "b.TIF"):
        (root / name).write_bytes(b"")

    with pytest.raises(SourceError, match=r"2 \.tif files are there: convert them to PNG"), open_source(root):
        pass


@pytest.mark.parametrize(
    "header", ["patientId,Target", '"patientId","Target"', " patientId , Target ", "patientId,\u200bTarget"]
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_blanks_quotes_and_marks_around_a_columns_name_do_not_count(tmp_path: Path, header: str, encoding: str) -> None:
    (tmp_path / "films.csv").write_text(f"{header}\na,1\n", encoding=encoding)
    (tmp_path / "a.png").write_bytes(b"")

    with open_source(tmp_path) as source:
        assert source.csv_path.name == "films.csv"


def test_a_pipe_is_not_waited_for_and_a_link_that_leads_nowhere_is_kept_to_be_named(write_source: WriteSource) -> None:
    root = write_source(ROWS)
    os.mkfifo(root / "old.csv")
    os.mkfifo(root / "Training" / "Images" / "pipe.png")
    (root / "Training" / "Images" / "link.png").symlink_to("nowhere")

    with open_source(root) as source:
        assert source.images.find("pipe") is None
        assert source.images.find("link") is not None


def test_a_zip_that_cannot_be_unpacked_anywhere_says_what_to_set(
    write_source: WriteSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = zipped(write_source(ROWS), tmp_path / "films.zip")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "absent"))

    with pytest.raises(SourceError, match=r"no folder to unpack a zip into .*set TMPDIR"), open_source(archive):
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
        assert source.images.find("b") is not None
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
        assert source.images.find("a") == root / "Training" / "Images" / "a.png"
