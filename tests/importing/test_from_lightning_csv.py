"""Folders that Lightning's CSVLogger has written are in the store afterwards, each point of them."""

import math
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from runstore import Run
from runstore.backend import BackendStore
from runstore.errors import MissingDriverError
from runstore.importing import Findings, ImportReport, Told, bring_from, source_at
from runstore.moving import Outcome

pytest.importorskip("pytorch_lightning")

STEPS = 700
HPARAMS: dict[str, Any] = {
    "lr": 0.001, "sizes": [1, 2], "pair": (3, 4), "net": {"depth": 18, "name": "resnet"}, "none": None, "amp": True,
}  # fmt: skip


def logged(folder: Path) -> Path:
    """A run of Lightning's own logger."""
    from pytorch_lightning.loggers import CSVLogger  # noqa: PLC0415 - heavy

    logger = CSVLogger(folder, name="lightning_logs", flush_logs_every_n_steps=100)
    logger.log_hyperparams(HPARAMS)
    for step in range(STEPS):
        logger.log_metrics({"train_loss": 1 / (1 + step), "epoch": step // 100}, step)
        if step % 100 == 99:
            logger.log_metrics({"val_auroc": step / STEPS, "epoch": step // 100}, step)
    for step, value in enumerate([math.nan, math.inf, -math.inf, -0.0, 1e-320]):
        logger.log_metrics({"odd": value}, step)
    logger.finalize("success")
    return Path(logger.log_dir)


@pytest.fixture
def version(tmp_path: Path) -> Path:
    """The folder of one run."""
    return logged(tmp_path)


def brought(place: Path, store: BackendStore) -> ImportReport:
    return bring_from(source_at(str(place)), store)


def only(store: BackendStore) -> Run:
    (run,) = store.search_runs()
    return run


def points_of(store: BackendStore, name: str, kind: str = "other") -> list[tuple[int, str]]:
    history = store.get_history(only(store).id, name, kind)
    return list(zip(history.steps, map(repr, history.values), strict=True))


def written(folder: Path, *rows: str) -> Path:
    path = folder / "metrics.csv"
    path.write_bytes("".join(f"{row}\r\n" for row in rows).encode())
    return path


def told(report: ImportReport) -> set[tuple[Told, str | None]]:
    return {(each.what, each.key) for each in report.findings}


def test_every_point_and_every_setting_is_there(version: Path, store: BackendStore) -> None:
    report = brought(version.parent, store)

    run = only(store)
    assert (run.name, run.status) == ("version_0", "completed")
    assert store.get_experiment(run.experiment_id).name == "lightning_logs"
    assert points_of(store, "loss", "train") == [(step, repr(1 / (1 + step))) for step in range(STEPS)]
    assert points_of(store, "auroc", "validation") == [(step, repr(step / STEPS)) for step in range(99, STEPS, 100)]
    assert points_of(store, "odd") == list(enumerate(["nan", "inf", "-inf", "-0.0", "1e-320"]))
    assert len(points_of(store, "epoch")) == STEPS
    assert store.get_config(run.id) == HPARAMS | {"pair": [3, 4]}
    assert report.is_whole
    assert told(report) == {(Told.TIMES_REPLACED, None), (Told.STEPS_REPEATED, "epoch")}


def test_a_second_import_changes_nothing_and_each_way_to_name_it_is_the_same_run(
    version: Path, store: BackendStore
) -> None:
    brought(version.parent, store)

    again = brought(version.parent, store)

    assert again.brought.runs == {Outcome.UNCHANGED: 1}
    assert (again.brought.points, again.brought.files) == (0, 0)
    for place in (version, version / "metrics.csv"):
        assert brought(place, store).brought.runs == {Outcome.UPDATED: 1}  # the place stands in the provenance
    assert store.count_runs() == 1


def test_a_run_that_went_on_is_brought_up(version: Path, store: BackendStore) -> None:
    path = version / "metrics.csv"
    whole = path.read_bytes()
    path.write_bytes(whole[: whole.index(b"\n", len(whole) // 2) + 3])
    first = brought(version, store)
    half = len(points_of(store, "loss", "train"))
    path.write_bytes(whole)

    report = brought(version, store)

    assert (Told.LINE_CUT, None) in told(first)
    assert 0 < half < STEPS
    assert report.brought.runs == {Outcome.UPDATED: 1}
    assert report.brought.points < STEPS * 3
    assert len(points_of(store, "loss", "train")) == STEPS


def test_what_no_store_takes_is_folded_and_told(tmp_path: Path, store: BackendStore) -> None:
    rows = ["step,below,half,text,same", "-2,1,,x,1", "1.5,,2,True,", "2,3,4,,", "2.0,5,,,"]
    written(tmp_path, *rows)

    report = brought(tmp_path, store)

    assert points_of(store, "below") == [(0, "1.0"), (4, "5.0")]
    assert points_of(store, "half") == [(0, "2.0"), (1, "4.0")]
    assert points_of(store, "text") == [(0, "1.0")]
    assert told(report) >= {
        (Told.STEPS_SHIFTED, "below"), (Told.STEPS_REPEATED, "below"), (Told.STEPS_COUNTED, "half"), (Told.NO_NUMBERS, "text"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (["step,loss", "0,1", "1"], ":3: has 1 fields, where the first line names 2"),
        (["step,loss", "0,1,2"], ":2: has 3 fields"),
        (["step,loss", "first,1"], ":2: the step is 'first', which is no number"),
        (["step,loss", "nan,1"], ":2: the step is 'nan'"),
        (["step,loss", '0,"1'], ": is no row of CSV"),
        (["step,loss", "0," + "1" * 200_000], ":2: is no row of CSV"),
    ],
    ids=["short", "long", "no step", "not finite", "open quote", "monstrous"],
)
def test_a_damaged_row_is_told_with_its_line_and_nothing_is_written(
    rows: Sequence[str], said: str, tmp_path: Path, store: BackendStore
) -> None:
    path = written(tmp_path, *rows)

    report = brought(tmp_path, store)

    (text,) = [each.text for each in report.findings if each.what is Told.UNREADABLE]
    assert text.startswith(f"{path}:")
    assert said in text
    assert store.count_runs() == 0


def test_settings_with_tags_make_no_objects(tmp_path: Path, store: BackendStore) -> None:
    written(tmp_path, "step,loss", "0,1")
    marker = tmp_path / "made"
    (tmp_path / "hparams.yaml").write_text(
        f"a: !!python/object/apply:os.system ['touch {marker}']\nb: &x [1, 2]\nc: *x\nd: !!python/tuple [1, 2]\n1: 2026-01-01\n",
        encoding="utf-8",
    )

    brought(tmp_path, store)

    assert not marker.exists()
    assert store.get_config(only(store).id) == {
        "a": [f"touch {marker}"], "b": [1, 2], "c": [1, 2], "d": [1, 2], "1": "2026-01-01",
    }  # fmt: skip


BOMB = "\n".join(
    ["a0: &a0 [x, x]"] + [f"a{each}: &a{each} [{', '.join([f'*a{each - 1}'] * 9)}]" for each in range(1, 12)]
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("lr: 1\nnet: [1, 2", "hparams.yaml:2: is no YAML"),
        ("just words", "hparams.yaml: is no mapping"),
        (BOMB, "hparams.yaml: has over 100000 values"),
        ("a: " + "[" * 5000, "hparams.yaml:1: is nested over 16 levels deep"),
        ("[1, 2]: 3", "hparams.yaml:1: is no YAML"),
    ],
    ids=["cut off", "words", "multiplied", "deep", "key"],
)
def test_settings_that_are_none_are_told_with_their_line(
    text: str, said: str, tmp_path: Path, store: BackendStore
) -> None:
    written(tmp_path, "step,loss", "0,1")
    (tmp_path / "hparams.yaml").write_text(text, encoding="utf-8")

    report = brought(tmp_path, store)

    (found,) = [each.text for each in report.findings if each.what is Told.UNREADABLE]
    assert said in found
    assert store.count_runs() == 0


def test_without_pyyaml_the_error_names_the_extra(
    version: Path, store: BackendStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)

    with pytest.raises(MissingDriverError, match=r"runstore\[import\]"):
        brought(version, store)


def test_a_file_of_that_name_without_steps_is_another_tools(version: Path, store: BackendStore) -> None:
    (version.parent / "other").mkdir()
    written(version.parent / "other", "epoch,loss", "0,1")
    (version.parent / "linked").mkdir()
    (version.parent / "linked" / "metrics.csv").symlink_to(version / "metrics.csv")

    assert brought(version.parent, store).brought.runs == {Outcome.NEW: 1}


def test_the_start_is_the_time_of_the_settings(version: Path, store: BackendStore) -> None:
    os.utime(version / "hparams.yaml", (1_700_000_000, 1_700_000_000))
    os.utime(version / "metrics.csv", (1_700_000_500, 1_700_000_500))

    brought(version, store)

    run = only(store)
    assert run.start_time.timestamp() == 1_700_000_000
    assert run.end_time is not None
    assert run.end_time.timestamp() == 1_700_000_500
    assert set(store.get_history(run.id, "loss", "train").logged_at_us) == {1_700_000_000_000_000}


def test_of_a_long_file_a_part_is_held_at_once(tmp_path: Path) -> None:
    count = 220_000
    with (tmp_path / "metrics.csv").open("w") as file:
        file.write("loss,step\n")
        file.writelines(f"0.5,{step}\n" for step in range(count))
    (run,) = source_at(str(tmp_path)).runs(Findings())

    assert [len(columns.steps) for _, columns in run.pieces()] == [100_000, 100_000, 20_000]
