"""One sample per image, split by patient; what cannot be trained on is said before training."""

import csv
import gzip
import random
import unicodedata
import zipfile
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pytest
from PIL import Image

from pneumo_train.config.data import DataConfig
from pneumo_train.config.settings import load_config
from pneumo_train.errors import DataError, SourceError
from pneumo_train.preparing.reading import read_source
from pneumo_train.samples import Sample, Split
from pneumo_train.sources.rows import read_samples
from pneumo_train.sources.source import open_source
from pneumo_train.splitting.by_patient import split_samples

WriteSource = Callable[..., Path]


def read(root: Path, **options: object) -> list[Sample]:
    config = config_of(**options)
    with open_source(root, config) as source:
        return read_samples(source, config)


def config_of(**options: object) -> DataConfig:
    return load_config(overrides={f"data.{key}": value for key, value in options.items()}).data


def samples_of(*patients: tuple[str, int, int]) -> list[Sample]:
    """For each (patient, films, target): that many samples."""
    return [
        Sample(image_id=f"{patient}-{film}", path=Path(f"{patient}-{film}.png"), target=target, patient=patient)
        for patient, films, target in patients
        for film in range(films)
    ]


def many_patients() -> list[Sample]:
    return samples_of(*[(f"n{i}", 1 + i % 4, 0) for i in range(30)], *[(f"p{i}", 1 + i % 3, 1) for i in range(20)])


def test_rows_of_one_image_become_one_sample(write_source: WriteSource) -> None:
    root = write_source(
        [("a", 1, 2, 3, 4, 1), ("a", 5, 6, 7, 8, 1), ("b", "", "", "", "", 0)],
        columns=("patientId", "x", "y", "width", "height", "Target"),
    )

    samples = read(root)

    assert [(sample.image_id, sample.target, sample.patient) for sample in samples] == [("a", 1, "a"), ("b", 0, "b")]


def test_empty_columns_that_are_not_used_are_accepted(write_source: WriteSource) -> None:
    root = write_source([("a", 1, "", ""), ("b", 0, "", "")], columns=("patientId", "Target", "age", "sex"))

    assert len(read(root)) == 2


def test_the_patient_may_come_from_a_second_csv(write_source: WriteSource) -> None:
    root = write_source([("a", 1), ("b", 0)])
    write_source(
        [("b", "P2"), ("a", "P1")], columns=("patientId", "source_patient"), table="image_index.csv", images=[]
    )

    samples = read(root, groups_csv="image_index.csv", patient_column="source_patient")

    assert [sample.patient for sample in samples] == ["P1", "P2"]


def test_a_subset_column_leaves_out_the_other_rows(write_source: WriteSource) -> None:
    root = write_source([("a", 1, 1), ("b", 0, "true"), ("c", 0, 0)], columns=("patientId", "Target", "mini"))

    assert [sample.image_id for sample in read(root, subset_column="mini")] == ["a", "b"]


def test_a_site_column_says_where_a_film_is_from_and_an_empty_cell_that_nobody_knows(write_source: WriteSource) -> None:
    root = write_source([("a", 1, " Lyon "), ("b", 0, "")], columns=("patientId", "Target", "hospital"))

    assert [sample.site for sample in read(root, site_column="hospital")] == ["Lyon", None]
    assert [sample.site for sample in read(root)] == [None, None]


@pytest.mark.parametrize(
    ("rows", "columns", "options", "message"),
    [
        ([("a", 1)], ("patientId", "Target"), {"patient_column": "person"}, r"\(1 rows\): no column 'person'"),
        ([("a", 1)], ("patientId", "Target"), {"split_column": "split"}, "no column 'split'"),
        (
            [("a", 1), ("a", 0)],
            ("patientId", "Target"),
            {},
            r"row 3: image 'a' was target 1.* is target 0.*\(2 in all\)",
        ),
        ([("a", 2)], ("patientId", "Target"), {}, r"row 2: Target = '2'; wanted 0 or 1 \(1 rows\)"),
        ([("a", "NaN")], ("patientId", "Target"), {}, r"row 2: Target = 'NaN' says nothing"),
        ([("a", "")], ("patientId", "Target"), {}, r"row 2: no value in 'Target' \(1 rows\)"),
        ([("a", 1), ("", 1)], ("patientId", "Target"), {}, r"row 3: no value in 'patientId'"),
        ([("a", 1), ("patientId", "Target")], ("patientId", "Target"), {}, "row 3: is the header once more"),
        ([("a", 1, "x")], ("patientId", "Target"), {}, r"row 2: other than the header's 2 columns"),
        (
            [("a", 1, "dev")],
            ("patientId", "Target", "s"),
            {"split_column": "s"},
            "s = 'dev'; wanted train, val or test",
        ),
        (
            [("a", 1, "train"), ("a", 1, "val")],
            ("patientId", "Target", "s"),
            {"split_column": "s"},
            r"row 3: image 'a' was target 1, patient 'a', part train in an earlier row and is target 1, patient 'a', part validation here",
        ),
        (
            [("a", 1, "Lyon"), ("a", 1, "Bern")],
            ("patientId", "Target", "h"),
            {"site_column": "h"},
            r"patient 'a', site 'Lyon' in an earlier row and is target 1, patient 'a', site 'Bern' here",
        ),
        ([("a", 1, 0)], ("patientId", "Target", "m"), {"subset_column": "m"}, "1 rows, none with m = 1"),
        ([], ("patientId", "Target"), {}, "0 rows below the header"),
    ],
)
def test_a_table_that_cannot_be_used_names_the_file_the_rows_and_what_to_do(
    write_source: WriteSource,
    rows: list[tuple[object, ...]],
    columns: tuple[str, ...],
    options: dict[str, object],
    message: str,
) -> None:
    root = write_source(rows, columns=columns, images=["Training/Images/a.png"])

    with pytest.raises(DataError, match=message) as caught:
        read(root, **options)

    assert "stage2_train_metadata.csv" in str(caught.value)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("patientId,Target,Target", r"2 columns are called 'Target' \(data\.target_column\), the 2 and 3 of 3; rename"),
        ("patientId,Target, Target ", "2 columns are called 'Target'"),
        ("patientId,patientId,Target", "2 columns are called 'patientId'"),
    ],
)
def test_a_column_that_is_there_twice_is_refused_only_if_it_is_used(
    write_source: WriteSource, header: str, message: str
) -> None:
    columns = header.split(",")
    root = write_source([("a", 1, 1)], columns=columns)
    unused = write_source([("a", 1, "", "")], columns=("patientId", "Target", "", ""), root=root.parent / "unused")

    with pytest.raises(DataError, match=message):
        read(root)
    assert len(read(unused)) == 1


@pytest.mark.parametrize("cell", ["1", " 1", "1.0", " 1.0 ", "\u00a01"])
def test_a_label_may_have_blanks_and_a_fraction_of_nought(write_source: WriteSource, cell: str) -> None:
    root = write_source([("a", cell), ("b", 0)])

    assert [sample.target for sample in read(root)] == [1, 0]


def test_labels_in_words_of_unknown_meaning_are_refused_with_what_the_column_holds(write_source: WriteSource) -> None:
    root = write_source([("a", "clear"), ("b", "opacity")])

    with pytest.raises(
        DataError, match=r"wanted 0 or 1.*holds 2 different values, as 'clear', 'opacity'.*\(--data\.positive_value\)"
    ):
        read(root)


@pytest.mark.parametrize(
    ("pattern", "patients"),
    [(r"^\d+", ["01", "01", "2"]), (r"(\d)_\d+$", ["1", "1", "2"]), (r"_\d+", ["_0", "_1", "_0"])],
)
def test_the_patient_is_what_a_pattern_finds_in_the_name(
    write_source: WriteSource, pattern: str, patients: list[str]
) -> None:
    root = write_source([("01_0.png", 1), ("01_1.png", 0), ("2_0.png", 0)], images=["01_0.png", "01_1.png", "2_0.png"])

    assert [sample.patient for sample in read(root, patient_pattern=pattern)] == patients


def test_a_pattern_that_a_name_lacks_is_an_error_that_shows_the_name(write_source: WriteSource) -> None:
    root = write_source([("7_0", 1), ("other", 0)])

    with pytest.raises(DataError, match=r"row 3: data\.patient_pattern = '\^\\\\d\+' is not in patientId = 'other'"):
        read(root, patient_pattern=r"^\d+")


@pytest.mark.parametrize("key", ["patient_column", "split_column", "subset_column", "site_column"])
def test_a_column_that_another_table_has_is_hinted_at_with_the_option_to_give(
    write_source: WriteSource, key: str
) -> None:
    root = write_source([("a", 1)])
    write_source([("a", "x")], columns=("patientId", "wanted"), table="more facts.csv", images=[])

    with pytest.raises(DataError, match=r'more facts\.csv has it: give --data\.groups_csv "more facts\.csv"'):
        read(root, **{key: "wanted"})


def test_a_named_table_without_the_column_says_which_it_has(write_source: WriteSource) -> None:
    root = write_source([("a", 1)], columns=("patientid", "Target"))

    with pytest.raises(DataError, match="it has the columns patientid, Target; did you mean 'patientid'"):
        read(root, csv_filename="stage2_train_metadata.csv")


COMPOSED, APART = (unicodedata.normalize(form, "M\u00fcller") for form in ("NFC", "NFD"))


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("a", "Training/Images/a.png"),
        ("a.png", "Training/Images/a.png"),
        ("a.png", "Training/Images/a.PNG"),
        ("a.PNG", "Training/Images/a.png"),
        ("a.JPEG", "a.jpeg"),
        ("images/a.png", "a.png"),
        ("images/a", "Training/Images/a.png"),
        (r"C:\films\images\a.png", "Training/Images/a.png"),
        ("./a.png", "a.png"),
        (COMPOSED, f"{APART}.png"),
        (APART, f"{COMPOSED}.png"),
        (f"images/{APART}.PNG", f"Training/Images/{COMPOSED}.png"),
        ("1.2.840.113", "1.2.840.113.png"),
    ],
)
def test_names_that_differ_in_form_ending_or_folder_mean_one_image(
    write_source: WriteSource, name: str, file: str
) -> None:
    root = write_source([(name, 1)], images=[file])

    (sample,) = read(root)

    assert sample.path == root / file


def test_the_folder_in_the_table_chooses_among_images_of_one_name(write_source: WriteSource) -> None:
    files = ["Training/Images/normal/1.png", "Training/Images/ill/1.png"]
    root = write_source([("normal/1.png", 0), ("ill/1.png", 1)], images=files)

    assert {sample.target: sample.path for sample in read(root)} == {
        0: root / "Training/Images/normal/1.png",
        1: root / "Training/Images/ill/1.png",
    }


def test_a_name_that_several_images_have_is_an_error_that_names_them(write_source: WriteSource) -> None:
    root = write_source([("a", 0), ("b", 1)], images=["x/a.png", "y/a.png", "b.png"])

    with pytest.raises(SourceError, match=r"two images are called 'a': x/a\.png and y/a\.png; write the folder"):
        read(root)


def test_images_that_differ_in_their_ending_are_told_apart_by_it(write_source: WriteSource) -> None:
    root = write_source([("a.jpg", 1)], images=["a.png", "a.jpg"])
    other = write_source([("a", 1)], images=["a.png", "a.jpg"], root=root.parent / "other")

    assert [sample.path.name for sample in read(root)] == ["a.jpg"]
    with pytest.raises(SourceError, match="write the ending into the table"):
        read(other)


def test_images_of_one_name_that_the_table_does_not_use_do_no_harm(write_source: WriteSource) -> None:
    root = write_source([("b", 1)], images=["x/a.png", "y/a.png", "b.png"])

    assert len(read(root)) == 1


@pytest.mark.parametrize(
    ("columns", "row", "told"),
    [
        (("patientId", "Target"), ("F" * 250, 1), None),
        (("patientId", "Target"), ("train/" + 250 * "F", 1), "has 256 characters, and at most 255 are kept"),
        (("patientId", "Target", "child"), ("a", 1, 256 * "c"), "row 2: child = "),
        (("patientId", "Target", "child"), ("a", 1, "c\t1"), "has the character U\\+0009"),
        (
            ("patientId", "Target", "child", "view"),
            ("a", 1, "c1", 300 * "p"),
            "the view of 'a', 'PP.*has 300 characters",
        ),
    ],
)
def test_names_that_no_store_keeps_are_refused_when_the_table_is_read(
    write_source: WriteSource, columns: tuple[str, ...], row: tuple[object, ...], told: str | None
) -> None:
    rows = [row, ("b", 0, "c2", "AP")[: len(columns)]]
    source = write_source(rows, columns=columns, images=[f"Images/{each[0]}.png" for each in rows])
    config = load_config(overrides={"data.patient_column": "child"} if "child" in columns else {})

    with (
        nullcontext() if told is None else pytest.raises(DataError, match=told),
        read_source(source, config, is_split=False) as reading,
    ):
        assert len(reading.samples) == 2


def test_two_names_for_one_image_are_refused(write_source: WriteSource) -> None:
    """As two images of two patients they could lie in both parts."""
    root = write_source([("x/1", 0), ("y/1", 1)], images=["1.png"])

    with pytest.raises(DataError, match=r"row 3: image 'y/1' is the file 1\.png that an earlier row calls 'x/1'"):
        read(root)


@pytest.mark.parametrize(("name", "file"), [("P1", "p1.png"), ("7", "007.png"), ("a b", "ab.png"), ("a.dcm", "a.png")])
def test_a_name_that_is_nearly_that_of_a_file_is_hinted_at_not_taken(
    write_source: WriteSource, name: str, file: str
) -> None:
    root = write_source([(name, 1)], images=[file])

    with pytest.raises(DataError, match=f"found {file} for {name}: write the names alike"):
        read(root)


@pytest.mark.parametrize("form", ["flag", "no flag", "code page"])
def test_every_spelling_of_a_name_in_a_zip_is_understood(write_source: WriteSource, tmp_path: Path, form: str) -> None:
    """macOS packs UTF-8 without saying so; old Windows programs use the code page of DOS."""
    root = write_source([(COMPOSED, 1), ("b", 0)])

    class Member(zipfile.ZipInfo):
        def _encodeFilenameFlags(self) -> tuple[bytes, int]:  # noqa: N802 - zipfile's own
            if form == "flag" or self.filename.isascii():
                return self.filename.encode(), self.flag_bits | 0x800
            return self.filename.encode("cp437" if form == "code page" else "utf-8"), self.flag_bits & ~0x800

    with zipfile.ZipFile(tmp_path / "films.zip", "w") as archive:
        for file in sorted(root.rglob("*.*")):
            archive.writestr(Member(file.relative_to(root).as_posix()), file.read_bytes())
    with open_source(tmp_path / "films.zip") as source:
        samples = read_samples(source, config_of())
        assert {sample.image_id: sample.path.is_file() for sample in samples} == {COMPOSED: True, "b": True}


def test_a_second_table_may_name_images_with_their_endings(write_source: WriteSource) -> None:
    root = write_source([("a", 1), ("b", 0)])
    write_source([("a.png", "P1"), ("b.png", "P2")], columns=("patientId", "person"), table="index.csv", images=[])

    samples = read(root, groups_csv="index.csv", patient_column="person")

    assert [sample.patient for sample in samples] == ["P1", "P2"]


def test_missing_images_are_counted_and_named(write_source: WriteSource) -> None:
    root = write_source([("a", 1), ("b", 0), ("c", 0)], images=["Training/Images/a.png"])

    with pytest.raises(DataError, match=r"2 of 3 images \(3 rows\) have no file, as b, c; 1 images were found"):
        read(root)


def test_images_that_are_missing_but_there_in_another_format_are_told_so(write_source: WriteSource) -> None:
    root = write_source([("a", 1), ("b", 0)], images=["a.png"])
    (root / "b.tif").write_bytes(b"")

    with pytest.raises(DataError, match=r"as b; .* 1 \.tif files are there: convert them to PNG"):
        read(root)


def test_a_second_csv_that_lacks_rows_is_an_error_that_names_them(write_source: WriteSource) -> None:
    root = write_source([("a", 1), ("b", 0)])
    write_source([("a", "P1")], columns=("patientId", "person"), table="index.csv", images=[])

    with pytest.raises(DataError, match=r"index\.csv \(1 rows\): 1 of the 2 rows .* have no row here, as b"):
        read(root, groups_csv="index.csv", patient_column="person")


def test_no_patient_is_in_both_parts_and_no_image_is_lost() -> None:
    samples = many_patients()

    split = split_samples(samples, config_of(validation_fraction=0.2), seed=1)

    assert {s.patient for s in split.train} & {s.patient for s in split.validation} == set()
    assert sorted(s.image_id for s in (*split.train, *split.validation)) == sorted(s.image_id for s in samples)


def test_the_split_is_stratified_by_patient() -> None:
    split = split_samples(many_patients(), config_of(validation_fraction=0.2), seed=1)

    held_out = {sample.patient for sample in split.validation}
    assert (sum(p.startswith("n") for p in held_out), sum(p.startswith("p") for p in held_out)) == (6, 4)


def test_the_seed_alone_decides_the_split_not_the_order_of_rows() -> None:
    samples = many_patients()
    shuffled = random.Random(9).sample(samples, len(samples))
    config = config_of()

    assert split_samples(shuffled, config, seed=1).digest() == split_samples(samples, config, seed=1).digest()
    assert split_samples(samples, config, seed=2).digest() != split_samples(samples, config, seed=1).digest()


def test_a_sample_fraction_takes_that_share_of_patients_of_each_label() -> None:
    split = split_samples(many_patients(), config_of(sample_fraction=0.5), seed=1)

    patients = {sample.patient for sample in (*split.train, *split.validation)}
    assert (sum(p.startswith("n") for p in patients), sum(p.startswith("p") for p in patients)) == (15, 10)


def test_a_given_split_is_honoured_and_its_test_part_left_out(write_source: WriteSource) -> None:
    rows = [("a", 1, "train"), ("b", 0, "Training"), ("c", 1, "val"), ("d", 0, "validation"), ("e", 1, "test")]
    root = write_source(rows, columns=("patientId", "Target", "split"))
    config = config_of(split_column="split")

    split = split_samples(read(root, split_column="split"), config, seed=1)

    assert [s.image_id for s in split.train] == ["a", "b"]
    assert [s.image_id for s in split.validation] == ["c", "d"]
    assert split.left_out == 1


def test_a_given_split_that_cuts_a_patient_in_two_is_an_error(write_source: WriteSource) -> None:
    rows = [("a", 1, "train", "P1"), ("b", 0, "train", "P2"), ("c", 1, "val", "P1"), ("d", 0, "val", "P3")]
    root = write_source(rows, columns=("patientId", "Target", "split", "person"))
    samples = read(root, split_column="split", patient_column="person")

    with pytest.raises(DataError, match="cuts 1 patients in two, as P1"):
        split_samples(samples, config_of(split_column="split"), seed=1)


def test_one_class_only_is_an_error() -> None:
    with pytest.raises(DataError, match=r"t\.csv \(2 images\): every target is 1; a classifier needs both"):
        split_samples(samples_of(("a", 1, 1), ("b", 1, 1)), config_of(), seed=1, origin="t.csv")


def test_an_empty_part_is_an_error(write_source: WriteSource) -> None:
    root = write_source([("a", 1, "train"), ("b", 0, "train")], columns=("patientId", "Target", "split"))

    with pytest.raises(DataError, match="the validation part of the split is empty"):
        split_samples(read(root, split_column="split"), config_of(split_column="split"), seed=1)


def test_a_part_with_one_class_only_is_an_error() -> None:
    samples = samples_of(("n1", 1, 0), ("p1", 1, 1), ("p2", 1, 1))

    with pytest.raises(DataError, match=r"the train part .* every target is 1"):
        split_samples(samples, config_of(validation_fraction=0.4), seed=1)


def test_the_hash_of_a_split_changes_when_one_image_changes_sides() -> None:
    one, two, three = samples_of(("a", 1, 0), ("b", 1, 1), ("c", 1, 0))

    before = Split(train=(one, two), validation=(three,)).digest()

    assert Split(train=(two, one), validation=(three,)).digest() == before
    assert Split(train=(one,), validation=(two, three)).digest() != before


@pytest.mark.data
def test_on_the_real_rsna_metadata_a_row_split_leaks_and_ours_does_not(xray_data: Path) -> None:
    """26,684 patients, 30,227 rows: one row per box. The rate of a row split is measured here on the same table."""
    with gzip.open(xray_data.parent / "rsna_metadata.csv.gz", "rt", encoding="utf-8", newline="") as stream:
        rows = [(row["patientId"], int(row["Target"])) for row in csv.DictReader(stream)]
    targets = dict(rows)
    samples = [
        Sample(image_id=patient, path=Path(patient), target=target, patient=patient)
        for patient, target in targets.items()
    ]

    split = split_samples(samples, config_of(validation_fraction=0.2), seed=42)

    ours = {s.patient for s in split.train} & {s.patient for s in split.validation}
    shuffled = random.Random(42).sample(rows, len(rows))
    cut = len(rows) // 5
    trained = {patient for patient, _ in shuffled[cut:]}
    positives = [patient for patient, target in shuffled[:cut] if target]
    leaked = sum(patient in trained for patient in positives) / len(positives)
    assert (len(rows), len(targets)) == (30_227, 26_684)
    assert 0.55 < leaked < 0.61
    assert ours == set()
    assert abs(split.describe()["validation"]["positives"] / len(split.validation) - 0.225) < 0.002


@pytest.mark.data
def test_the_real_rsna_metadata_of_30227_rows_become_a_sample_a_patient_and_a_split_without_leak(
    xray_data: Path, tmp_path: Path
) -> None:
    """One file under 26,684 names stands for the films."""
    with gzip.open(xray_data.parent / "rsna_metadata.csv.gz", "rb") as packed:
        (tmp_path / "stage2_train_metadata.csv").write_bytes(packed.read())
    folder = tmp_path / "Training/Images"
    folder.mkdir(parents=True)
    Image.new("L", (8, 8)).save(tmp_path / "film.png")
    with (tmp_path / "stage2_train_metadata.csv").open(encoding="utf-8", newline="") as stream:
        for patient in {row["patientId"] for row in csv.DictReader(stream)}:
            (folder / f"{patient}.png").hardlink_to(tmp_path / "film.png")

    with read_source(tmp_path, load_config(overrides={"data.test_fraction": 0.1})) as reading:
        parts = [{sample.patient for sample in part} for part in reading.split.parts().values()]

    assert (len(reading.table.rows), len(reading.samples), len(parts)) == (30_227, 26_684, 3)
    assert sum(map(len, parts)) == len(set[str]().union(*parts)) == 26_684
    assert all(abs(sum(s.target for s in part) / len(part) - 0.2253) < 0.001 for part in reading.split.parts().values())


@pytest.mark.data
def test_the_real_films_are_split_by_patient_as_their_index_says(xray_data: Path) -> None:
    options = {
        "groups_csv": "image_index.csv",
        "patient_column": "source_patient",
        "split_column": "split",
        "subset_column": "mini",
    }

    split = split_samples(read(xray_data, **options), config_of(**options), seed=1)

    assert (len(split.train), len(split.validation)) == (360, 40)
    assert {s.patient for s in split.train} & {s.patient for s in split.validation} == set()


@pytest.mark.data
def test_a_split_of_the_real_films_that_is_not_by_patient_is_refused(xray_data: Path) -> None:
    options = {
        "groups_csv": "image_index.csv",
        "patient_column": "source_patient",
        "split_column": "pneumoniamnist_split",
    }

    with pytest.raises(DataError, match="cuts 190 patients in two"):
        split_samples(read(xray_data, **options), config_of(**options), seed=1)
