"""The format of predictions: what is written comes back, and what is not of the format is told with its place."""

import csv
import gzip
import io
import json
import math
import random
import tracemalloc
from array import array
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runstore.errors import InvalidValueError, SourceError
from runstore.memory.store import MemoryStore
from runstore.predictions import (
    Calibration,
    Levels,
    Predictions,
    Threshold,
    media_of,
    new_predictions,
    read_predictions,
)

LANDED = Path(__file__).with_name("format-1")
"""Files that the release which brought the format has written; they are never made again."""

HEADER = '# {"format":"runstore.predictions","version":1,"classes":["normal","pneumonia"]}\n'


def made(**changed: Any) -> Predictions:
    given: dict[str, Any] = {
        "ids": ["a", "b", "c"],
        "classes": ["normal", "pneumonia"],
        "targets": ["normal", "pneumonia", 1],
        "scores": [0.25, 1, 0.1 + 0.2],
    }
    return new_predictions(**{**given, **changed})


def file_of(predictions: Predictions, folder: Path) -> bytes:
    path = folder / "file.csv.gz"
    media_of(predictions, "test").write(path)
    return path.read_bytes()


def read(text: str) -> Predictions:
    return read_predictions(io.BytesIO(text.encode()), name="test.csv")


def full() -> Predictions:
    return made(
        groups=["child 1", None, "child 1"],
        weights=[1, 0, 2.5],
        splits="test",
        sites=["lyon", "charité", None],
        subgroups={"age": ["0-1", None, '2, "5"'], "sex": ["f", "m", "f"]},
        thresholds=[Threshold(name="sensitivity 90 %", value=0.4, chosen_on="validation", rule="the highest with it")],
        calibration=Calibration(method="temperature", fitted_on="validation", parameters={"temperature": 1.5}),
        about={"checkpoint": "best.ckpt", "films": 3},
    )


def of_three() -> Predictions:
    """Three classes, and scores that are no probabilities."""
    return made(
        classes=["none", "bacterial", "viral"],
        scores=[[0.5, -2.25, 1e300], [0, 0, 1], [0.1, 0.2, 0.7]],
        targets=[0, 1, 2],
        is_probability=False,
    )


# --- there and back ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "predictions",
    [
        made(),
        full(),
        made(is_probability=False, scores=[-3.5, 1e300, 5e-324]),
        made(
            classes=["none", "bacterial", "viral"],
            scores=[[0.5, 0.25, 0.25], [0, 0, 1], [0.1, 0.2, 0.7]],
            targets=[0, 1, 2],
        ),
        made(ids=['a,"b"', "'; DROP", "=1+1"]),
    ],
)
def test_what_is_written_comes_back(predictions: Predictions, tmp_path: Path) -> None:
    assert read_predictions(io.BytesIO(file_of(predictions, tmp_path))) == predictions


@given(
    st.lists(
        st.tuples(
            st.floats(allow_nan=False, allow_infinity=False),
            st.one_of(st.none(), st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=255)),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_every_score_and_every_name_comes_back(rows: list[tuple[float, str | None]]) -> None:
    predictions = new_predictions(
        ids=[str(index) for index in range(len(rows))],
        classes=["no", "yes"],
        targets=[0] * len(rows),
        scores=[score for score, _ in rows],
        is_probability=False,
        groups=[group for _, group in rows],
    )
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["id", "target", "score", "group"])
    writer.writerows((str(index), "no", repr(score), group) for index, (score, group) in enumerate(rows))
    header = {"format": "runstore.predictions", "version": 1, "classes": ["no", "yes"], "is_probability": False}

    assert read(f"# {json.dumps(header)}\n{text.getvalue()}") == predictions


@pytest.mark.parametrize(("name", "expected"), [("pair", full()), ("three", of_three())])
def test_files_of_version_1_are_read_for_ever(name: str, expected: Predictions) -> None:
    with (LANDED / f"{name}.csv.gz").open("rb") as file:
        assert read_predictions(file) == expected


def test_a_store_keeps_it_as_an_artifact_that_says_what_it_is() -> None:
    with MemoryStore() as store:
        run_id = store.ensure_run(store.get_or_create_experiment("e"))
        artifact = media_of(full(), "predictions/test", step=3).keep(store, run_id)
        with store.open_artifact(run_id, artifact.name) as file:
            found = read_predictions(file)

    assert found == full()
    assert (artifact.name, artifact.artifact_type) == ("predictions/test/000000003.csv.gz", "predictions")
    assert artifact.metadata["media"] == {
        "kind": "predictions",
        "name": "predictions/test",
        "step": 3,
        "version": 1,
        "rows": 3,
        "classes": ["normal", "pneumonia"],
        "splits": ["test"],
    }


def test_the_same_predictions_are_the_same_bytes(tmp_path: Path) -> None:
    assert file_of(full(), tmp_path) == file_of(full(), tmp_path)


def test_the_file_is_text_that_any_program_reads(tmp_path: Path) -> None:
    lines = gzip.decompress(file_of(made(splits="test"), tmp_path)).decode().splitlines()

    assert lines == [
        HEADER.strip(),
        "id,target,score,split",
        "a,normal,0.25,test",
        "b,pneumonia,1.0,test",
        "c,pneumonia,0.30000000000000004,test",
    ]


def test_arrays_and_tensors_will_do() -> None:
    np = pytest.importorskip("numpy")
    scores = np.array([0.5, 0.25, 1.0], dtype=np.float32)

    found = made(scores=scores, targets=np.array([0, 1, 1]), weights=np.ones(3))

    assert (found.scores[0], found.targets) == (array("d", [0.5, 0.25, 1.0]), array("i", [0, 1, 1]))


def test_levels_are_in_code_point_order_and_say_what_is_missing() -> None:
    levels = Levels.of(["b", None, "a", "b"])

    assert (levels.names, list(levels.codes), levels.texts()) == (("a", "b"), [1, -1, 0, 1], ["b", None, "a", "b"])


def test_divisions_are_the_columns_to_divide_by() -> None:
    assert list(full().divisions) == ["split", "site", "age", "sex"]
    assert made().divisions == {}


def test_a_hundred_thousand_rows_are_read_in_memory_for_their_columns(tmp_path: Path) -> None:
    chance = random.Random(1)
    rows = 100_000
    predictions = made(
        ids=[f"film-{row:06}.png" for row in range(rows)],
        targets=[row % 2 for row in range(rows)],
        scores=[chance.random() for _ in range(rows)],
        splits="test",
        subgroups={"age": ["0-1", "2-5"] * (rows // 2)},
    )
    packed = io.BytesIO(file_of(predictions, tmp_path))

    tracemalloc.start()
    found = read_predictions(packed)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert found == predictions
    assert most < 40_000_000


# --- what is refused ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"ids": ["a", "b", "a"]}, "ids[2] is 'a', which an earlier sample is called"),
        ({"ids": ["a", "b", ""]}, "ids[2] is empty"),
        ({"ids": ["a", "b\n", "c"]}, "ids[1] 'b\\n' has the control character U+000A"),
        ({"ids": [], "targets": [], "scores": []}, "there are 0 ids"),
        ({"ids": "abc"}, "ids is 'abc' of type str"),
        ({"classes": ["one"]}, "give 2 to 100 names"),
        ({"classes": ["one", "one"]}, "each once"),
        ({"targets": ["normal", "pneumonia", "other"]}, "targets[2] is 'other'"),
        ({"targets": [0, 1, 2]}, "targets[2] is 2"),
        ({"targets": [0, 1, True]}, "targets[2] is True"),
        ({"targets": [0, 1]}, "there are 2 targets for 3 ids"),
        ({"scores": [0, 1, 1.5]}, "scores[2] is 1.5; give a number from 0 to 1"),
        ({"scores": [0, 1, math.nan]}, "scores[2] is nan"),
        ({"scores": [0, 1, "x"]}, "scores[2] is 'x' of type str"),
        ({"scores": [[0, 1], [0, 1], [0, 1]]}, "scores[0] is [0, 1] of type list"),
        ({"classes": ["a", "b", "c"], "targets": [0, 1, 2]}, "scores[0] is 0.25; give 3 numbers"),
        ({"weights": [1, -1, 1]}, "weights[1] is -1.0; give a number from 0 on"),
        ({"weights": [0, 0, 0]}, "weights are 0 together"),
        ({"groups": ["a", "", None]}, "groups[1] is empty"),
        ({"subgroups": {"site": ["a", "b", "c"]}}, "subgroups has 'site'"),
        ({"subgroups": {"age": "old"}}, "subgroups['age'] is 'old'"),
        ({"subgroups": ["age"]}, "subgroups is ['age']"),
        ({"thresholds": [0.5]}, "thresholds[0] is 0.5"),
        ({"thresholds": [Threshold(name="t", value=math.inf, chosen_on="v")]}, "thresholds[0].value is inf"),
        ({"thresholds": [Threshold(name="t", value=0.5, chosen_on="v")] * 2}, "thresholds have a name twice"),
        ({"calibration": "temperature"}, "calibration is 'temperature'"),
        ({"about": {"x": object()}}, "cannot be kept as JSON"),
        ({"about": {"loss": [math.nan]}}, "cannot be kept as JSON"),
        ({"about": {"x": "\ud800"}}, "cannot be kept as JSON"),
        ({"about": ["x"]}, "cannot be kept as JSON"),
        ({"about": {"x": "y" * 70_000}}, "at most 65536 are kept"),
    ],
)
def test_what_is_not_allowed_is_named_with_its_index(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidValueError) as raised:
        made(**changed)

    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "test.csv, line 1: '' is no header of predictions"),
        ("id,target,score\n", "line 1: 'id,target,score\\n' is no header"),
        ("# {}\n", "line 1: the format is None"),
        ("# nonsense\n", "line 1: "),
        (HEADER.replace('"version":1', '"version":2'), "line 1: the version is 2, and this release reads up to 1"),
        (HEADER.replace('"version":1', '"version":true'), "line 1: the version is True"),
        (HEADER.replace("}", ',"treshold":[]}'), "line 1: Object contains unknown field `treshold`"),
        (HEADER.replace("normal", "pneumonia"), "line 1: classes is"),
        (HEADER, "line 2: there is no column 'id'"),
        (HEADER + "id,target\n", "line 2: there is no column 'score'"),
        (HEADER + "id,target,score,score.x\n", "line 2: there is a column 'score.x'"),
        (HEADER + "id,target,score,subgroup.\n", "line 2: there is a column 'subgroup.'"),
        (HEADER + "id,target,score,id\n", "line 2: 4 columns, 3 names"),
        (HEADER + "id,target,score\n", "test.csv: there is no row"),
        (HEADER + "id,target,score\na,normal,0.5\nb,normal\n", "line 4: there are 2 cells for 3 columns"),
        (HEADER + "id,target,score\na,normal,0.5\nb,normal,1.5\n", "line 4: column score: '1.5' is out of range"),
        (HEADER + "id,target,score\na,normal,nan\n", "line 3: column score: 'nan' is no number"),
        (HEADER + "id,target,score\na,normal,1_0\n", "line 3: column score: '1_0' is no number"),
        (HEADER + "id,target,score\na,normal,\n", "line 3: column score: '' is no number"),
        (HEADER + "id,target,score\na,normal,0." + "1" * 99_999 + "x\n", "line 3: column score: "),
        (HEADER + "id,target,score,weight\na,normal,1,1e999\n", "line 3: column weight: '1e999' is out of range"),
        (HEADER + "id,target,score\na,other,0.5\n", "line 3: column target: 'other' is no class"),
        (HEADER + "id,target,score\na,normal,0.5\na,normal,0.5\n", "line 4: column id: 'a' is there before"),
        (HEADER + "id,target,score\n,normal,0.5\n", "line 3: column id: it is empty"),
        (HEADER + "id,target,score,group\na,normal,0.5,\x07\n", "line 3: column group: it '\\x07' has the control"),
        (HEADER + 'id,target,score\n"a,normal,0.5\n', "line 3"),
        (HEADER + "id,target,score\n" + "a" * 200_000, "line 3: the line has more than 131072 bytes"),
    ],
)
def test_what_is_not_of_the_format_is_told_with_its_line(text: str, message: str) -> None:
    with pytest.raises(SourceError) as raised:
        read(text)

    assert message in str(raised.value)


@given(
    st.integers(0, 10_000),
    st.one_of(
        st.sampled_from(["\n", '"', ",", "\r", "nan", "{", "}", "[", ":", "null", "-1", "\x00"]), st.text(max_size=5)
    ),
    st.integers(0, 9),
)
def test_a_file_with_a_change_anywhere_is_read_or_refused_and_nothing_else(at: int, put: str, gone: int) -> None:
    text = gzip.decompress((LANDED / "pair.csv.gz").read_bytes()).decode()
    at %= len(text)

    try:
        found = read(text[:at] + put.encode("utf-8", "replace").decode() + text[at + gone :])
    except SourceError:
        return

    assert len(found.ids) == len(found.targets) == len(found.scores[0])


def test_text_that_is_no_utf_8_is_told_with_its_line() -> None:
    with pytest.raises(SourceError, match=r"line 3: byte 0 is no UTF-8"):
        read_predictions(io.BytesIO(HEADER.encode() + b"id,target,score\n\xff,normal,0.5\n"))


@pytest.mark.parametrize("left", [1, 2, 12, 60, -9, -1])
def test_a_file_that_was_cut_is_damaged(left: int, tmp_path: Path) -> None:
    with pytest.raises(SourceError):
        read_predictions(io.BytesIO(file_of(full(), tmp_path)[:left]))


def test_more_rows_than_there_is_memory_for_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="there are more than 2 rows; divide the file"):
        read_predictions(io.BytesIO(file_of(full(), tmp_path)), max_rows=2)


def test_what_unpacks_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runstore.predictions.reading.MAX_BYTES", 100_000)
    packed = gzip.compress((HEADER + "id,target,score\n").encode() + b"a,normal,0.5\n" * 100_000)

    with pytest.raises(SourceError, match="there are more than 100000 bytes; divide the file"):
        read_predictions(io.BytesIO(packed))
