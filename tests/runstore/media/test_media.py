"""Figures, images, tables, texts and histograms: what becomes of each, over a memory store, read back."""

import csv
import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from runstore import media
from runstore.errors import InvalidValueError
from runstore.media import Media, MediaItem
from runstore.memory.store import MemoryStore


class Kept:
    """A run of a memory store, and what it keeps."""

    def __init__(self, store: MemoryStore) -> None:
        self.store = store
        self.run_id = store.ensure_run(store.get_or_create_experiment("e"))

    def __call__(self, made: Media) -> MediaItem:
        """Keeps it and reads it back by its name."""
        artifact = made.keep(self.store, self.run_id)
        (item,) = [each for each in self.series(made.base) if each.artifact.name == artifact.name]
        return item

    def series(self, name: str) -> list[MediaItem]:
        return media.read_series(self.store, self.run_id, name)

    def pixels(self, image: Any, **options: Any) -> Any:
        return np.asarray(Image.open(io.BytesIO(self(media.image("image", image, **options)).read())))


@pytest.fixture
def kept() -> Iterator[Kept]:
    with MemoryStore() as store:
        yield Kept(store)


# --- names and steps ---------------------------------------------------------------------------------------------


def test_a_name_gets_the_ending_of_its_kind_and_keeps_one_that_it_has(kept: Kept) -> None:
    names = [kept(media.text(name, "words")).artifact.name for name in ("notes", "notes.md", "v1.2")]

    assert names == ["notes.txt", "notes.md", "v1.2.txt"]


def test_a_series_is_read_back_by_ascending_step_whatever_the_order_of_writing(kept: Kept) -> None:
    for step in (10, 9, 2**63 - 1, 0):
        kept(media.text("caption", f"at {step}", step=step))

    items = kept.series("caption")

    assert [(item.step, item.read().decode()) for item in items] == [
        (0, "at 0"),
        (9, "at 9"),
        (10, "at 10"),
        (2**63 - 1, f"at {2**63 - 1}"),
    ]
    assert items[1].artifact.name == "caption/000000009.txt"


def test_the_same_step_again_replaces_what_was_kept_there(kept: Kept) -> None:
    kept(media.text("caption", "first", step=3))
    kept(media.text("caption", "second", step=3))

    assert [item.read() for item in kept.series("caption")] == [b"second"]


def test_a_name_of_which_a_run_has_nothing_is_named_in_a_warning(kept: Kept, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "runstore.media"):
        kept.series("caption")
        kept(media.text("caption", "words"))
        kept.series("captoin")
        kept.series("x")

    assert [record.getMessage().partition("has kept ")[2] for record in caplog.records] == [
        "no 'caption', nor any other figure, image, table, text or histogram",
        "no 'captoin'; did you mean 'caption'?",
        "no 'x'; it has 'caption'",
    ]


def test_an_unknown_name_is_an_empty_series_and_plain_artifacts_are_none(kept: Kept, tmp_path: Path) -> None:
    (tmp_path / "plain.png").write_bytes(b"bytes")
    kept.store.log_artifact(kept.run_id, tmp_path / "plain.png", metadata={"media": "hand-made"})

    assert kept.series("plain") == []
    assert media.list_series(kept.store, kept.run_id) == {}


def test_own_metadata_is_kept_beside_ours(kept: Kept) -> None:
    item = kept(media.text("caption", "words", metadata={"case": 7, "media": "no"}))

    assert item.artifact.metadata["case"] == 7
    assert item.kind == "text"


@pytest.mark.parametrize(
    ("name", "step"),
    [("../up", None), ("/root", 0), ("", None), ("a//b", 1), (7, None), (".txt", None), ("x", -1), ("x", 0.5)],
)
def test_a_name_or_a_step_that_is_not_allowed_raises_at_once(name: Any, step: Any) -> None:
    with pytest.raises(InvalidValueError):
        media.text(name, "words", step=step)


def test_a_run_s_own_log_artifact_is_enough() -> None:
    seen: list[Any] = []

    def log_artifact(path: Path, *, name: str, artifact_type: str, metadata: Any) -> None:
        seen.append((path.read_bytes(), name, artifact_type, metadata))

    assert media.text("caption", "words").log(log_artifact) is None
    about = {"kind": "text", "name": "caption", "characters": 5}
    assert seen == [(b"words", "caption.txt", "text", {"media": about})]


# --- images ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 1), (5, 7, 3), (5, 7, 4)])
def test_bytes_come_back_as_they_were(kept: Kept, shape: tuple[int, ...]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, shape, np.uint8)

    assert np.array_equal(kept.pixels(pixels), pixels.squeeze(-1) if shape[-1] == 1 else pixels)


def test_an_array_with_its_channels_first_is_turned(kept: Kept) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (3, 5, 7), np.uint8)

    assert np.array_equal(kept.pixels(pixels), pixels.transpose(1, 2, 0))


def test_floats_within_0_and_1_run_from_black_to_white(kept: Kept) -> None:
    assert kept.pixels(np.array([[0.0, 0.2, 1.0], [0.4, 0.4, 0.4]])).tolist() == [[0, 51, 255], [102, 102, 102]]


def test_other_numbers_run_from_the_least_to_the_greatest_and_it_is_told(kept: Kept) -> None:
    item = kept(media.image("ct", np.array([[-1000, 0], [1000, 3000]], np.int16)))

    assert np.asarray(Image.open(io.BytesIO(item.read()))).tolist() == [[0, 64], [128, 255]]
    assert item.about == {"width": 2, "height": 2, "range": [-1000.0, 3000.0]}


def test_a_range_makes_the_images_of_a_series_compare(kept: Kept) -> None:
    assert kept.pixels(np.array([[-5.0, 5.0, 50.0]]), value_range=(0, 10)).tolist() == [[0, 128, 255]]


def test_what_is_not_finite_is_black_and_told(kept: Kept) -> None:
    item = kept(media.image("odd", np.array([[np.nan, np.inf, 1.0, 0.0]])))

    assert np.asarray(Image.open(io.BytesIO(item.read()))).tolist() == [[0, 0, 255, 0]]
    assert item.about["non_finite"] == 2


def test_a_boolean_mask_is_black_and_white(kept: Kept) -> None:
    assert kept.pixels(np.array([[True, False]])).tolist() == [[255, 0]]


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P", "1", "CMYK", "F", "I"])
def test_an_image_of_pillow_of_any_mode_becomes_a_png(kept: Kept, mode: str) -> None:
    item = kept(media.image("photo", Image.new("RGB", (4, 3), (255, 0, 0)).convert(mode)))

    assert Image.open(io.BytesIO(item.read())).size == (4, 3)
    assert (item.artifact.name, item.about["width"], item.about["height"]) == ("photo.png", 4, 3)


def test_an_image_of_pillow_with_transparency_may_become_a_jpeg(kept: Kept) -> None:
    item = kept(media.image("photo.jpg", Image.new("RGBA", (4, 3))))

    assert Image.open(io.BytesIO(item.read())).format == "JPEG"


def test_an_image_file_is_kept_as_it_is(kept: Kept, tmp_path: Path) -> None:
    (tmp_path / "scan.tif").write_bytes(b"bytes of a scan")

    item = kept(media.image("scan", tmp_path / "scan.tif", step=4))

    assert (item.artifact.name, item.read()) == ("scan/000000004.tif", b"bytes of a scan")


@pytest.mark.training
def test_a_tensor_is_an_image_with_its_channels_first(kept: Kept) -> None:
    torch = pytest.importorskip("torch")

    pixels = kept.pixels(torch.ones(3, 2, 5, dtype=torch.bfloat16, requires_grad=True))

    assert pixels.shape == (2, 5, 3)
    assert pixels.min() == 255


@pytest.mark.parametrize("image", [None, 3, [[0, 1]], b"bytes", np.ndarray])
def test_what_is_no_image_raises_at_once(image: Any) -> None:
    with pytest.raises(InvalidValueError, match="image is"):
        media.image("image", image)


@pytest.mark.parametrize(
    "image", [np.zeros(3), np.zeros((2, 2, 2)), np.zeros((0, 4)), np.zeros((1, 2, 3, 3)), np.array([["a"]])]
)
def test_an_array_that_is_no_image_raises_when_it_is_made_a_file(kept: Kept, image: Any) -> None:
    made = media.image("image", image)

    with pytest.raises(InvalidValueError, match="image has"):
        made.keep(kept.store, kept.run_id)


@pytest.mark.parametrize("value_range", [(1, 1), (2, 1), 3, ("a", "b"), (0, 1, 2)])
def test_a_range_that_is_none_raises_at_once(value_range: Any) -> None:
    with pytest.raises(InvalidValueError, match="value_range"):
        media.image("image", np.zeros((2, 2)), value_range=value_range)


# --- figures -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "begins"), [("roc", b"\x89PNG"), ("roc.svg", b"<?xml"), ("roc.pdf", b"%PDF")])
def test_a_figure_of_matplotlib_becomes_what_its_name_says(kept: Kept, name: str, begins: bytes) -> None:
    figure = Figure()
    axes = figure.subplots()

    assert kept(media.figure(name, figure)).read().startswith(begins)
    assert kept(media.figure(name, axes, dpi=30, step=3)).read().startswith(begins)


def test_a_figure_of_plotly_becomes_a_page_and_at_a_step_json(kept: Kept) -> None:
    graph = pytest.importorskip("plotly.graph_objects")
    figure = graph.Figure(graph.Scatter(y=[1, 2]))

    page, step = kept(media.figure("curve", figure)), kept(media.figure("curve", figure, step=1))

    assert page.artifact.name == "curve.html"
    assert b"<html" in page.read()
    assert json.loads(step.read())["data"][0]["y"] is not None


@pytest.mark.parametrize("figure", [None, "roc.png", np.zeros((2, 2)), object()])
def test_what_is_no_figure_raises_at_once(figure: Any) -> None:
    with pytest.raises(InvalidValueError, match="figure is"):
        media.figure("roc", figure)


# --- tables ------------------------------------------------------------------------------------------------------

ROWS = [{"case": "a", "score": 0.5}, {"case": "b", "score": None}]
COLUMNS = {"case": ["a", "b"], "score": [0.5, None]}


@pytest.mark.parametrize(
    ("table", "columns"),
    [(ROWS, None), (COLUMNS, None), ([["a", np.float32(0.5)], ("b", None)], ["case", "score"])],
)
def test_rows_and_columns_become_csv_if_the_name_says_so(kept: Kept, table: Any, columns: Any) -> None:
    item = kept(media.table("cases.csv", table, columns=columns))

    assert list(csv.reader(io.StringIO(item.read().decode()))) == [["case", "score"], ["a", "0.5"], ["b", ""]]
    assert item.about == {"rows": 2, "columns": ["case", "score"]}


@pytest.mark.parametrize("missing", ["none", "pyarrow"])
def test_rows_become_parquet_where_a_library_is_installed_and_no_value_is_lost(
    kept: Kept, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    polars = pytest.importorskip("polars")
    pytest.importorskip("pyarrow")
    monkeypatch.setattr("runstore.media.tables.find_spec", lambda library: None if library == missing else library)

    item = kept(media.table("cases", [*ROWS, {"case": 3, "score": 1.5}]))

    frame = polars.read_parquet(item.read())
    assert frame.to_dict(as_series=False) == {"case": ["a", "b", "3"], "score": [0.5, None, 1.5]}
    assert item.artifact.name == "cases.parquet"


def test_without_a_library_rows_become_csv_and_parquet_is_refused(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runstore.media.tables.find_spec", lambda _library: None)

    assert kept(media.table("cases", ROWS)).artifact.name == "cases.csv"
    with pytest.raises(InvalidValueError, match="pip install pyarrow"):
        media.table("cases.parquet", ROWS)


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_frames_of_the_usual_libraries_are_kept(kept: Kept, library: str, suffix: str) -> None:
    polars = pytest.importorskip("polars")
    made_by = pytest.importorskip(library)
    frame = made_by.table(COLUMNS) if library == "pyarrow" else made_by.DataFrame(COLUMNS)

    item = kept(media.table(f"cases.{suffix}", frame))

    read = polars.read_csv if suffix == "csv" else polars.read_parquet
    assert read(item.read()).to_dict(as_series=False) == COLUMNS
    assert item.about == {"rows": 2, "columns": ["case", "score"]}


def test_an_index_of_pandas_that_says_something_is_kept(kept: Kept) -> None:
    pandas = pytest.importorskip("pandas")

    item = kept(media.table("cases.csv", pandas.DataFrame({"score": [1, 2]}, index=["a", "b"])))

    assert item.read() == b",score\na,1\nb,2\n"


def test_a_table_without_rows_is_kept(kept: Kept) -> None:
    assert kept(media.table("cases.csv", [], columns=["case"])).read() == b"case\r\n"


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        (None, None),
        ("cases.csv", None),
        ([[1, 2]], None),
        ([[1, 2]], ["a"]),
        ([[1, 2]], ["a", "a"]),
        ({"a": [1], "b": [1, 2]}, None),
        ({"a": 1}, None),
    ],
)
def test_what_is_no_table_raises_at_once(table: Any, columns: Any) -> None:
    with pytest.raises(InvalidValueError):
        media.table("cases", table, columns=columns)


# --- histograms --------------------------------------------------------------------------------------------------


def test_values_are_counted_and_the_counts_stand_in_the_metadata_too(kept: Kept) -> None:
    item = kept(media.histogram("weights", np.array([[0.0, 1.0, 1.0], [4.0, np.nan, np.inf]]), bins=2, step=1))

    assert item.about == {
        "counts": [3, 1],
        "edges": [0.0, 2.0, 4.0],
        "mean": 1.5,
        "std": 1.5,
        "non_finite": 2,
    }
    assert json.loads(item.read()) == item.about


def test_counts_and_edges_are_kept_as_given(kept: Kept) -> None:
    item = kept(media.histogram("weights", counts=np.array([1, 2]), edges=[0, 0.5, 9]))

    assert item.about == {"counts": [1, 2], "edges": [0.0, 0.5, 9.0]}


def test_no_finite_value_is_a_histogram_without_parts(kept: Kept) -> None:
    assert kept(media.histogram("weights", [float("nan")])).about == {"counts": [], "edges": [], "non_finite": 1}


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"values": "text"},
        {"values": [1.0], "counts": [1]},
        {"counts": [1]},
        {"counts": [1], "edges": [0]},
        {"counts": [1], "edges": [1, 0]},
        {"counts": [float("nan")], "edges": [0, 1]},
        {"values": [1.0], "bins": 0},
    ],
)
def test_what_is_no_histogram_raises_at_once(options: Any) -> None:
    with pytest.raises(InvalidValueError):
        media.histogram("weights", **options)


# --- texts -------------------------------------------------------------------------------------------------------


def test_a_text_of_odd_characters_is_kept(kept: Kept) -> None:
    assert kept(media.text("odd", "ä\ud800")).read() == "ä\\ud800".encode()


def test_what_is_no_text_raises_at_once() -> None:
    with pytest.raises(InvalidValueError, match="text is"):
        media.text("odd", b"bytes")  # type: ignore[arg-type]  # what the test is about


def test_several_images_of_one_call_are_read_back_by_their_key(kept: Kept) -> None:
    for step in (20, 10):
        for index in (1, 0, 10):
            kept(media.text(f"overlay/{index}", f"{index} at {step}", step=step))
    kept(media.text("overlay/left", "no number", step=0))

    texts = [item.read().decode() for item in kept.series("overlay")]

    assert texts == [f"{index} at {step}" for step in (10, 20) for index in (0, 1, 10)]
    assert [item.step for item in kept.series("overlay/10")] == [10, 20]


@pytest.mark.parametrize(
    ("name", "kept_as", "kind"),
    [("a.jpg", "a.jpg", "JPEG"), ("a.webp", "a.webp", "WEBP"), ("a.gif", "a.png", "PNG"), ("a.b", "a.b.png", "PNG")],
)
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_an_array_becomes_the_kind_of_image_that_its_name_says(
    kept: Kept, name: str, kept_as: str, kind: str, channels: int
) -> None:
    item = kept(media.image(f"plots/{name}", np.zeros((4, 3, channels))))

    assert item.artifact.name == f"plots/{kept_as}"
    assert Image.open(io.BytesIO(item.read())).format == kind
    assert (item.about["width"], item.about["height"]) == (3, 4)


def test_without_pillow_an_array_becomes_a_png_whatever_its_name_says(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runstore.media.images.find_spec", lambda _library: None)

    assert kept(media.image("a.jpg", np.zeros((4, 3)))).artifact.name == "a.png"


def test_a_file_keeps_its_own_ending(kept: Kept, tmp_path: Path) -> None:
    (tmp_path / "scan.tif").write_bytes(b"bytes of a scan")

    assert kept(media.image("plots/scan.jpg", tmp_path / "scan.tif")).artifact.name == "plots/scan.tif"


def test_a_frame_with_columns_of_several_types_is_kept_and_they_are_texts(kept: Kept) -> None:
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    pytest.importorskip("pyarrow")
    columns = {"a": [1, "x"], "b": [None, {}], "c": [[1], [2, 3]], "d": [0.5, None], "e": [None, 2], "f": ["x", "y"]}

    item = kept(media.table("cases.parquet", pandas.DataFrame(columns)))
    rows = kept(media.table("rows.parquet", columns))

    for each in (item, rows):
        assert polars.read_parquet(each.read()).to_dict(as_series=False) == {
            "a": ["1", "x"],
            "b": [None, "{}"],
            "c": [[1], [2, 3]],
            "d": [0.5, None],
            "e": [None, 2],
            "f": ["x", "y"],
        }
