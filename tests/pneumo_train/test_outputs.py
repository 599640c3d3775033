"""Where a training writes: asked before it starts, and nothing is left behind by the question."""

import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from pneumo_train.errors import ConfigError
from pneumo_train.fitting.outputs import require_room, require_writable

Usage = namedtuple("Usage", "total used free")  # noqa: PYI024 - as shutil's


def test_the_question_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()

    require_writable(tmp_path / "there" / "a" / "b", "logs_dir")
    require_writable(tmp_path / "there", "logs_dir")

    assert list(tmp_path.rglob("*")) == [tmp_path / "there"]


def test_a_folder_in_the_place_of_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")

    with pytest.raises(ConfigError, match=r"logs_dir = '.*file/logs': cannot be written \(Not a directory\)"):
        require_writable(tmp_path / "file" / "logs", "logs_dir")


@pytest.mark.parametrize(("total", "free", "is_refused"), [(1000, 10, True), (1000, 500, False), (0, 0, False)])
def test_a_disk_without_room_is_refused_if_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, total: int, free: int, is_refused: bool
) -> None:
    """Some network file systems say that they are of no size at all."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(total * 1_000_000, 0, free * 1_000_000))

    if is_refused:
        with pytest.raises(ConfigError, match="10 MB are free, and the checkpoints need 300 MB"):
            require_room(tmp_path / "absent", 300_000_000, "checkpoint_dir")
    else:
        require_room(tmp_path / "absent", 300_000_000, "checkpoint_dir")
