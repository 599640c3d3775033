"""Which local files an artifact means, how they are read, and how bytes are written out: everything named, nothing lost."""

import os
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import pytest

from runstore import InvalidValueError
from runstore.artifacts.requests import check_artifact
from runstore.local.files import CHUNK, chunks_of, copy_out, files_of


def _names(folder: Path, name: str = "out") -> list[str]:
    return [found for _, found in files_of(folder, name)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one file."""
    made = tmp_path / "out"
    made.mkdir()
    (made / "config.yaml").write_text("c")
    return made


def test_linked_files_and_folders_are_followed_wherever_they_stand(folder: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "deep").mkdir(parents=True)
    (elsewhere / "deep" / "weights.bin").write_text("w")
    (folder / "sub").mkdir()
    (folder / "checkpoints").symlink_to(elsewhere)
    (folder / "sub" / "latest").symlink_to("../../elsewhere")
    (folder / "w.bin").symlink_to("../elsewhere/deep/weights.bin")

    assert _names(folder) == [
        "out/config.yaml",
        "out/w.bin",
        "out/checkpoints/deep/weights.bin",
        "out/sub/latest/deep/weights.bin",
    ]


@pytest.mark.parametrize("target", [".", "..", "../out", "../beside/back"])
def test_a_link_to_a_folder_that_holds_it_is_not_followed_round_in_a_circle(
    folder: Path, tmp_path: Path, target: str
) -> None:
    (tmp_path / "beside").mkdir()
    (tmp_path / "beside" / "back").symlink_to("../out")
    (folder / "circle").symlink_to(target)
    logged = tmp_path if target == ".." else folder

    names = [found for _, found in files_of(logged, "x")]

    assert sorted(set(names)) == sorted(names)
    assert sum(name.endswith("config.yaml") for name in names) == (2 if target == ".." else 1)


def _make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (os.mkfifo, "a named pipe"),
        (_make_socket, "a socket"),
        (lambda path: path.symlink_to("/dev/null"), "a device"),
        (lambda path: path.symlink_to("nowhere"), "a broken link, to 'nowhere'"),
        (lambda path: path.symlink_to(path.name), "cannot be read: Too many levels of symbolic links"),
    ],
    ids=["pipe", "socket", "device", "broken link", "link to itself"],
)
@pytest.mark.parametrize("is_alone", [False, True], ids=["in a folder", "alone"])
def test_what_is_neither_a_file_nor_a_folder_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path], None], told: str, *, is_alone: bool
) -> None:
    monkeypatch.chdir(tmp_path)  # a socket's path may not be long
    Path("f/deep").mkdir(parents=True)
    odd = Path("f/deep/odd")
    make(odd)

    with pytest.raises(InvalidValueError, match=f"'f/deep/odd' (is|cannot).*{told.removeprefix('cannot ')}"):
        files_of(odd if is_alone else Path("f"), "f")


def test_a_path_too_long_for_the_system_is_refused_by_name() -> None:
    with pytest.raises(InvalidValueError, match=r"'/xxx.*xxx' cannot be read: File name too long"):
        files_of(Path("/" + "x" * 5000), "f")


@pytest.mark.parametrize("path", [b"bytes", 5, None, ""])
def test_a_path_that_is_none_is_refused(path: object) -> None:
    with pytest.raises(InvalidValueError, match="path is"):
        check_artifact(path, name="x", artifact_type="file", copy=True, metadata=None)  # type: ignore[arg-type]


@pytest.mark.parametrize("path", [".", "./", "../out", "../out/."])
def test_this_folder_has_its_own_name(folder: Path, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.chdir(folder)

    request = check_artifact(path, name=None, artifact_type="file", copy=True, metadata=None)

    assert [name for _, name, _ in request.files] == ["out/config.yaml"]


_AS_NOBODY = """
import io, os, sys
from pathlib import Path
from runstore.errors import InvalidValueError
from runstore.local.files import copy_out, files_of
os.setgroups([]); os.setgid(65534); os.setuid(65534)
for path in sys.argv[1:]:
    try:
        print([name for _, name in files_of(Path(path), "x")])
    except InvalidValueError as error:
        print(error)
try:
    copy_out(io.BytesIO(b"x"), Path(sys.argv[1]) / "new")
except InvalidValueError as error:
    print(error)
"""


def _told_nobody(*paths: Path) -> list[str]:
    """What a user without any rights is told of each path, and then of writing into the first."""
    if os.geteuid() != 0:
        pytest.skip("only root may become another user")
    done = subprocess.run(
        [sys.executable, "-c", _AS_NOBODY, *map(str, paths)], capture_output=True, text=True, check=False, cwd="/"
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.fixture
def open_path() -> Iterator[Path]:
    """A folder that every user may look into."""
    path = Path(tempfile.mkdtemp(prefix="runstore-open-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


def test_an_unreadable_file_or_folder_is_an_error_that_names_it(open_path: Path) -> None:
    for name in ("file/in/secret", "folder/in/closed/x", "search/in/closed/x"):
        (open_path / name).parent.mkdir(parents=True)
        (open_path / name).write_text("x")
    (open_path / "file/in/secret").chmod(0)
    (open_path / "folder/in/closed").chmod(0)
    (open_path / "search/in/closed").chmod(0o644)

    told = _told_nobody(
        open_path / "file", open_path / "folder", open_path / "search", open_path / "search/in/closed/x"
    )

    named = ["file/in/secret", "folder/in/closed", "search/in/closed/x", "search/in/closed/x"]
    for line, name in zip(told, named, strict=False):
        assert line.startswith(f"'{open_path}/{name}' cannot be read: Permission denied; nothing was logged")
    assert told[4] == f"cannot write '{open_path}/file/new': Permission denied; give another place"


def test_a_file_that_grows_while_it_is_read_gives_what_it_held_at_first(tmp_path: Path) -> None:
    path = tmp_path / "train.log"
    path.write_bytes(b"a" * (2 * CHUNK))

    found = []
    for chunk in chunks_of(path):
        found.append(chunk)
        with path.open("ab") as log:
            log.write(b"b" * CHUNK)

    assert b"".join(found) == b"a" * (2 * CHUNK)


def test_a_file_that_shrinks_while_it_is_read_gives_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "weights.bin"
    path.write_bytes(b"a" * (3 * CHUNK))
    chunks = chunks_of(path)
    found = next(chunks)

    os.truncate(path, CHUNK)

    assert found + b"".join(chunks) == b"a" * CHUNK


def test_a_file_of_the_kernel_that_says_it_is_empty_is_read_to_its_end() -> None:
    assert b"".join(chunks_of(Path("/proc/version"))) == Path("/proc/version").read_bytes()


def test_a_pipe_that_took_the_place_of_a_file_holds_nobody_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "file")

    with pytest.raises(InvalidValueError, match="a named pipe"):
        list(chunks_of(tmp_path / "file"))


def test_a_fetched_file_appears_whole_with_the_mode_that_the_user_asks_for(tmp_path: Path) -> None:
    target = tmp_path / "new" / "b"
    before = os.umask(0o027)
    try:
        copy_out(BytesIO(b"abc"), target)
    finally:
        os.umask(before)

    assert target.read_bytes() == b"abc"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert list(target.parent.iterdir()) == [target]


def test_a_file_with_other_bytes_is_overwritten_only_when_asked(tmp_path: Path) -> None:
    target = tmp_path / "b"
    target.write_bytes(b"mine")

    with pytest.raises(InvalidValueError, match="is there already, with other bytes"):
        copy_out(BytesIO(b"abc"), target)
    assert target.read_bytes() == b"mine"

    copy_out(BytesIO(b"abc"), target, overwrite=True)
    assert target.read_bytes() == b"abc"
    assert list(tmp_path.iterdir()) == [target]


def test_a_file_with_the_same_bytes_is_left_as_it_is(tmp_path: Path) -> None:
    target = tmp_path / "b"
    target.write_bytes(b"abc")
    before = target.stat()

    copy_out(BytesIO(b"abc"), target)

    assert target.stat().st_ino == before.st_ino
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("is_asked_for", [False, True])
@pytest.mark.parametrize(
    ("make", "told"),
    [
        (Path.mkdir, "a folder"),
        (os.mkfifo, "a named pipe"),
        (lambda path: path.symlink_to("elsewhere"), "a link"),
        (lambda path: path.symlink_to("/dev/null"), "a link"),
        (lambda path: path.symlink_to("file"), "a link"),
    ],
    ids=["folder", "pipe", "broken link", "device", "link to a file"],
)
def test_what_is_no_regular_file_is_never_replaced(
    tmp_path: Path, make: Callable[[Path], None], told: str, *, is_asked_for: bool
) -> None:
    (tmp_path / "file").write_bytes(b"mine")
    target = tmp_path / "target"
    make(target)
    before = target.lstat()

    with pytest.raises(InvalidValueError, match=f"target' is {told}, which is never replaced"):
        copy_out(BytesIO(b"abc"), target, overwrite=is_asked_for)

    assert (target.lstat().st_ino, target.lstat().st_mode) == (before.st_ino, before.st_mode)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "target"]
    assert (tmp_path / "file").read_bytes() == b"mine"


def test_of_eight_that_write_one_file_one_wins_and_no_other_is_overwritten(tmp_path: Path) -> None:
    target, errors, start = tmp_path / "b", [], threading.Barrier(8)

    def write(number: int) -> None:
        start.wait()
        try:
            copy_out(BytesIO(b"%d" % number), target)
        except InvalidValueError as error:
            errors.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(errors) == 7
    assert list(tmp_path.iterdir()) == [target]


class _Breaking(BytesIO):
    def read(self, _size: int | None = -1, /) -> bytes:
        raise KeyboardInterrupt


def test_a_copy_that_is_broken_off_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        copy_out(_Breaking(), tmp_path / "b")

    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_an_error_of_ours_and_leaves_nothing_behind(small_disk: Path) -> None:
    with pytest.raises(InvalidValueError, match="No space left on device"):
        copy_out(BytesIO(b"x" * 8 * 2**20), small_disk / "b")

    assert list(small_disk.iterdir()) == []
