"""The page about films: each layout lies there as it is drawn, and its commands say what the page says."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import runstore
from documentation.pages import blocks_of
from documentation.shell import SHELLS, do, lines_of
from pneumo_train.cli import main

PAGE = "docs/trainer-data.md"
_MANY = 12


def write_film(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    seed = sum(map(ord, str(path)))
    if path.suffix == ".dcm":
        examples = pytest.importorskip("pydicom.examples")
        film = examples.mr
        film.PatientID = f"MRN {seed // 2}"
        film.save_as(path)
    else:
        Image.fromarray(np.random.default_rng(seed).integers(0, 255, (48, 40), dtype=np.uint8)).save(path)


def rows_of(films: list[Path], columns: list[str]) -> list[str]:
    """A row for each film, two of which are a child's, in the columns that the page draws."""
    rows = []
    for number, film in enumerate(films):
        facts = {"patientId": film.stem, "image": film.stem, "File Name": film.name, "Child": f"c{number // 2}"}
        facts |= {"child": f"c{number // 2}", "Sex": "F", "sex": "M", "Age (years)": "148", "age": ""}
        facts |= dict.fromkeys(("Target", "Pneumonia"), str(number // 2 % 2))
        rows.append(",".join(facts.get(column, "") for column in columns))
    return rows


def make_films() -> None:
    """What the page draws, in the working directory, with more films of the kind of the first of each folder."""
    for block in blocks_of(PAGE, ""):
        drawn = [line.split(maxsplit=1) for line in block.text.splitlines()]
        named = [Path(words[0]) for words in drawn if not words[0].endswith(".csv")]
        more = {
            film.parent / f"{re.sub('[0-9]+', f'{number:04d}', film.stem, count=1)}{film.suffix}"
            for film in named
            for number in range(1000, 1000 + _MANY)
            if "test" not in film.parts[1] and "val" not in film.parts
        }
        films = sorted({*named, *more})
        for film in films:
            write_film(film)
        for words in drawn:
            if words[0].endswith(".csv"):
                columns = words[1].split(",")
                told = [film for film in films if "test" not in film.parts[1]]
                Path(words[0]).write_text("\n".join([words[1], *rows_of(told, columns)]) + "\n", encoding="utf-8")


def test_each_layout_of_the_page_is_checked_by_its_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    make_films()

    told: dict[str, str] = {}
    for line in lines_of(PAGE):
        if line.words[:2] == ["pneumo-train", "check"]:
            status = main([*line.words[1:], "--progress", "false"])
            told[line.shown] = capsys.readouterr().out
            assert status == 0, f"{line.shown}: {told[line.shown]}"

    assert {Path(line.split()[3]).name for line in told} == {
        "rsna",
        "challenge",
        "kaggle",
        "ward",
        "clinic",
        "adults",
        "hospital",
    }
    for command, said in told.items():
        assert "counts as a patient of its own: images of one child" not in said, command
        assert ("data: test part" in said) == ("test_fraction" in command or "kaggle" in command), command


def test_the_split_of_a_run_is_got_as_the_page_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("sqlalchemy")
    monkeypatch.chdir(tmp_path)
    with runstore.start_run("films", store="sqlite:///runs.db", console=False) as run:
        (tmp_path / "written.csv").write_text("image,part\n", encoding="utf-8")
        run.log_artifact(tmp_path / "written.csv", name="data/split.csv")

    (line,) = [line for line in lines_of(PAGE) if line.words[0] == "runstore"]
    do(line)

    assert Path("split.csv").read_text(encoding="utf-8") == "image,part\n"
    assert f"--data.split_file {Path('split.csv')}" in "".join(block.text for block in blocks_of(PAGE, *SHELLS))
