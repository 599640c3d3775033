"""The files of a run on the screen, where a series is one line; and how a series is fetched."""

from pathlib import Path

import pytest

from runstore import media, open_store
from support.commands import runstore

_STEPS = range(0, 60, 5)


@pytest.fixture
def run_id(sqlite_url: str, tmp_path: Path) -> str:
    """A run with texts and histograms over steps, a single text, and a checkpoint."""
    (tmp_path / "best.ckpt").write_bytes(b"x" * 2500)
    with open_store(sqlite_url, durable=False) as store:
        run_id = store.ensure_run(store.get_or_create_experiment("lungs"))
        for step in _STEPS:
            media.text("caption", f"step {step}", step=step).keep(store, run_id)
            media.histogram("weights/conv", [float(each) for each in range(50)], step=step).keep(store, run_id)
        media.text("report", "well").keep(store, run_id)
        store.log_artifact(run_id, tmp_path / "best.ckpt", metadata={"score": 0.9, "of": {"epoch": 3}})
        store.log_config(run_id, {"lr": 0.1})
    return run_id


def test_a_run_with_pictures_fits_on_a_screen_and_a_series_is_one_line(sqlite_url: str, run_id: str) -> None:
    shown = runstore("show", run_id, "--store", sqlite_url, columns=80).stdout

    lines = shown.splitlines()
    assert len(lines) < 30
    assert max(map(len, lines)) <= 80
    assert ["caption", "text", "12", "0", "to", "55"] in [line.split()[:6] for line in lines]
    assert ["weights/conv", "histogram", "12", "0", "to", "55"] in [line.split()[:6] for line in lines]
    assert "  best.ckpt  file, 2.5 kB, score=0.9, of.epoch=3" in lines
    for noise in ("media={", "edges", ".artifacts/sha256", "caption/0"):
        assert noise not in shown


def test_what_was_tried_stands_before_the_files(sqlite_url: str, run_id: str) -> None:
    lines = runstore("show", run_id, "--store", sqlite_url, columns=80).stdout.splitlines()

    assert lines.index("configuration") < lines.index("artifacts")


def _fetch(url: str, *arguments: str) -> str:
    fetched = runstore("fetch", "@1", *arguments, "--store", url)
    assert fetched.returncode == 0, fetched.stderr
    return fetched.stdout


@pytest.mark.usefixtures("run_id")
def test_of_a_series_the_last_file_is_fetched_or_that_of_a_step(sqlite_url: str, tmp_path: Path) -> None:
    last, fifth, report = tmp_path / "last.txt", tmp_path / "5.txt", tmp_path / "report.txt"

    _fetch(sqlite_url, "caption", str(last))
    _fetch(sqlite_url, "caption", str(fifth), "--step", "5")
    _fetch(sqlite_url, "report", str(report))

    assert [each.read_text() for each in (last, fifth, report)] == ["step 55", "step 5", "well"]


@pytest.mark.usefixtures("run_id")
def test_files_of_several_series_have_names_of_their_own(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "out").mkdir()
    monkeypatch.chdir(tmp_path / "out")

    for name in ("caption", "weights/conv", "report", "best.ckpt"):
        _fetch(sqlite_url, name)

    fetched = sorted(file.name for file in (tmp_path / "out").iterdir())
    assert fetched == ["best.ckpt", "caption-000000055.txt", "conv-000000055.json", "report.txt"]


@pytest.mark.usefixtures("run_id")
def test_a_whole_series_is_fetched_into_a_folder(sqlite_url: str, tmp_path: Path) -> None:
    printed = _fetch(sqlite_url, "caption", str(tmp_path / "captions"), "--all")

    files = sorted((tmp_path / "captions").iterdir())
    assert [file.read_text() for file in files] == [f"step {step}" for step in _STEPS]
    assert printed.splitlines() == [str(file) for file in files]


@pytest.mark.usefixtures("run_id")
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("caption", "--step", "7"), "has no step 7; its steps are 0, 5, 10, 15, 20 and 7 more, up to 55"),
        (("report", "--step", "7"), "has no step 7; it has no steps"),
        (("best.ckpt", "--all"), "has no series 'best.ckpt'; it has 'caption', 'report', 'weights/conv'"),
        (("captain",), "has no artifact 'captain'; it has 'caption'"),
        (("x",), "it has 'best.ckpt', 'caption', 'report', 'weights/conv'"),
    ],
)
def test_what_a_series_has_not_is_answered_with_what_there_is(
    sqlite_url: str, arguments: tuple[str, ...], told: str
) -> None:
    refused = runstore("fetch", "@1", *arguments, "--store", sqlite_url)

    assert refused.returncode == 1
    assert told in refused.stderr


def test_all_and_one_exclude_each_other() -> None:
    assert runstore("fetch", "@1", "caption", "--all", "--step", "5").returncode == 2
