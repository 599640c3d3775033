"""Decoded films on disk: the same pixels as decoding gives, whole, bounded, and not in a process's own memory."""

import logging
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pneumo_train.cache import CacheFolder, cache_folder, load_cached
from pneumo_train.cache.loading import key_of
from pneumo_train.cli import main
from pneumo_train.config.data import DataConfig
from pneumo_train.errors import UnreadableError
from pneumo_train.images.films import Films, load_films
from pneumo_train.images.mapped import MappedPixels
from pneumo_train.samples import Sample

SIZE = 32


@pytest.fixture
def samples(tmp_path: Path) -> list[Sample]:
    """Six films of other sizes than wanted; the last is the first again, under another name."""
    generator = np.random.default_rng(1)
    (tmp_path / "films").mkdir()
    made = []
    for number in range(6):
        path = tmp_path / "films" / f"{number}.png"
        if number == 5:
            path.write_bytes((tmp_path / "films" / "0.png").read_bytes())
        else:
            Image.fromarray(generator.integers(0, 255, (40 + number, 50), dtype=np.uint8)).save(path)
        made.append(Sample(image_id=str(number), path=path, target=number % 2, patient=str(number)))
    return made


@pytest.fixture
def folder(tmp_path: Path) -> CacheFolder:
    return CacheFolder(path=tmp_path / "decoded", most_bytes=1 << 20)


def load(samples: list[Sample], folder: CacheFolder | None, size: int = SIZE) -> tuple[Films, str]:
    return load_cached(samples, size=size, cache_mib=1, folder=folder)


def assert_same(found: tuple[Films, str], samples: list[Sample], size: int = SIZE) -> None:
    films, digest = found
    plain, expected = load_films(samples, size=size, cache_mib=1)
    assert (digest, films.hashes, films.samples, len(films)) == (expected, plain.hashes, plain.samples, len(plain))
    assert np.array_equal(np.stack([films[index] for index in range(len(films))]), plain.pixels)  # type: ignore[arg-type]
    assert np.array_equal(films.sketches, plain.sketches)  # type: ignore[arg-type]


def test_films_out_of_the_cache_are_those_that_decoding_gives_and_equal_ones_lie_there_once(
    samples: list[Sample], folder: CacheFolder
) -> None:
    assert_same(load(samples, folder), samples)
    ((path, size),) = folder.files()
    made = path.stat().st_ino

    again = load(samples[::-1], folder)

    assert_same(again, samples[::-1])
    assert isinstance(again[0].pixels, MappedPixels)
    assert (path.stat().st_ino, size) == (made, folder.needed(size=SIZE, count=5))
    assert oct(folder.path.stat().st_mode & 0o777) == "0o700"


def test_a_part_of_the_films_and_a_copy_for_another_process_are_still_the_file(
    samples: list[Sample], folder: CacheFolder
) -> None:
    films, _ = load(samples, folder)

    part = films.part(2, 5)
    copy = pickle.loads(pickle.dumps(part))

    assert np.array_equal(part[1], films[3])
    assert np.array_equal(copy[2], films[4])
    assert len(pickle.dumps(films.pixels)) < 1000


def test_another_content_another_size_and_other_films_are_decoded_anew(
    samples: list[Sample], folder: CacheFolder
) -> None:
    load(samples, folder)
    Image.new("L", (30, 30), 7).save(samples[1].path)

    assert_same(load(samples, folder), samples)
    assert_same(load(samples, folder, size=64), samples, size=64)
    assert_same(load(samples[:2], folder), samples[:2])
    assert len(folder.files()) == 4


@pytest.mark.parametrize("decoder", ["python-gdcm", "pylibjpeg-rle"])
def test_films_are_decoded_anew_when_another_version_of_a_decoder_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, decoder: str
) -> None:
    before = key_of(["content"], 32)
    about = tmp_path / f"{decoder.replace('-', '_')}-99.0.dist-info" / "METADATA"
    about.parent.mkdir()
    about.write_text(f"Metadata-Version: 2.1\nName: {decoder}\nVersion: 99.0\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)

    assert key_of(["content"], 32) != before


@pytest.mark.parametrize(
    "spoil",
    [
        lambda content: content[:-100],
        lambda content: content[:5000] + bytes([content[5000] ^ 1]) + content[5001:],
        lambda content: content[:0],
        lambda content: b"[1]" + content[3:],
    ],
    ids=["cut short", "a bit turned", "empty", "another header"],
)
def test_a_damaged_cache_is_told_and_made_anew(
    samples: list[Sample], folder: CacheFolder, spoil: Callable[[bytes], bytes], caplog: pytest.LogCaptureFixture
) -> None:
    load(samples, folder)
    ((path, _),) = folder.files()
    whole = path.read_bytes()
    path.write_bytes(spoil(whole))

    assert_same(load(samples, folder), samples)

    assert "are not used, and made anew" in caplog.text
    assert path.read_bytes() == whole


def test_two_that_decode_the_same_films_at_once_both_have_them_whole(samples: list[Sample], tmp_path: Path) -> None:
    program = (
        "import sys\nfrom pathlib import Path\nfrom pneumo_train.cache import CacheFolder, load_cached\n"
        "from pneumo_train.samples import Sample\n"
        "paths = sorted(Path(sys.argv[1]).iterdir())\n"
        "samples = [Sample(image_id=p.name, path=p, target=0, patient=p.name) for p in paths]\n"
        "print('ready', flush=True)\nsys.stdin.readline()\n"
        "films, digest = load_cached(samples, size=32, cache_mib=1, folder=CacheFolder(path=Path(sys.argv[2]), most_bytes=1 << 20))\n"
        "print(type(films.pixels).__name__, digest, sum(int(films[i].sum()) for i in range(len(films))))\n"
    )
    command = [sys.executable, "-c", program, str(samples[0].path.parent), str(tmp_path / "decoded")]
    both = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for each in both:
        assert each.stdout is not None
        assert each.stdout.readline() == "ready\n"

    for each in both:
        assert each.stdin is not None
        each.stdin.write("go\n")
        each.stdin.flush()
    told = [each.communicate()[0] for each in both]

    assert told[0] == told[1]
    assert told[0].startswith("MappedPixels")
    assert len(list((tmp_path / "decoded").iterdir())) == 1


def test_what_was_not_used_for_longest_is_removed_when_there_is_too_much(
    samples: list[Sample], folder: CacheFolder
) -> None:
    one = folder.needed(size=SIZE, count=1)
    small = CacheFolder(path=folder.path, most_bytes=2 * one)
    for number in (0, 1):
        load(samples[number : number + 1], small)
    first, second = (path for path, _ in small.files())
    os.utime(first, (1, 1))
    os.utime(second, (2, 2))
    load(samples[0:1], small)

    load(samples[2:3], small)

    assert first.exists()
    assert not second.exists()
    assert len(small.files()) == 2


def test_films_that_are_more_than_the_cache_may_hold_stay_in_memory(
    samples: list[Sample], folder: CacheFolder, caplog: pytest.LogCaptureFixture
) -> None:
    films, digest = load(samples, CacheFolder(path=folder.path, most_bytes=5000))

    assert_same((films, digest), samples)
    assert isinstance(films.pixels, np.ndarray)
    assert "5 films of 32 x 32 pixels need 1 MiB on disk, and are not kept there" in caplog.text
    assert not folder.path.exists()


def test_a_full_disk_costs_a_warning_and_leaves_nothing(
    samples: list[Sample], small_disk: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = CacheFolder(path=small_disk / "decoded", most_bytes=1 << 30)

    films, digest = load_cached(samples * 4, size=1024, cache_mib=64, folder=folder)

    assert isinstance(films.pixels, np.ndarray)
    assert digest == load_films(samples * 4, size=1024, cache_mib=64)[1]
    assert "decoded films cannot be kept in" in caplog.text
    assert "No space left" in caplog.text
    assert list(folder.path.iterdir()) == []


def test_a_folder_that_cannot_be_made_costs_a_warning(
    samples: list[Sample], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")

    found = load(samples, CacheFolder(path=tmp_path / "file" / "decoded", most_bytes=1 << 20))

    assert_same(found, samples)
    assert "Not a directory" in caplog.text


def test_films_that_cannot_be_read_are_the_same_error_with_a_cache(samples: list[Sample], folder: CacheFolder) -> None:
    samples[1].path.write_bytes(samples[1].path.read_bytes()[:200])
    samples[3].path.unlink()

    with pytest.raises(UnreadableError) as with_one:
        load(samples, folder)
    with pytest.raises(UnreadableError) as without:
        load(samples, None)

    assert str(with_one.value) == str(without.value)
    assert folder.files() == []


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="the system does not say what is private")
def test_the_films_of_kermany_add_nearly_nothing_to_a_process_s_own_memory(fast_path: Path) -> None:
    count, size = 5232, 224
    program = (
        "import sys\nfrom pathlib import Path\nimport numpy as np\nfrom pneumo_train.cache import CacheFolder\n"
        "count, size = int(sys.argv[2]), int(sys.argv[3])\n"
        "folder = CacheFolder(path=Path(sys.argv[1]), most_bytes=1 << 30)\n"
        "film, sketch = np.full((size, size), 7, np.uint8), np.ones(256, np.int8)\n"
        "assert folder.write('k' * 64, size=size, count=count, films=((film, sketch) for _ in range(count)))\n"
        "def private():\n"
        "    lines = Path('/proc/self/smaps_rollup').read_text().splitlines()\n"
        "    return sum(int(line.split()[1]) for line in lines if line.startswith('Private_')) / 1024\n"
        "before = private()\n"
        "pixels, _ = folder.find('k' * 64, size=size, rows=np.arange(count))\n"
        "most = 0\n"
        "for index in range(count):\n"
        "    assert pixels[index][0, 0] == 7\n"
        "    most = max(most, private()) if index % 500 == 499 else most\n"
        "print(most - before)\n"
    )

    told = subprocess.run(
        [sys.executable, "-c", program, str(fast_path), str(count), str(size)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert float(told.stdout) < 30  # MiB, of 250


def test_the_folder_is_that_of_the_configuration_or_of_the_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PNEUMO_TRAIN_CACHE_DIR", raising=False)
    assert cache_folder(DataConfig()) is None

    monkeypatch.setenv("PNEUMO_TRAIN_CACHE_DIR", str(tmp_path / "a"))
    named = cache_folder(DataConfig(cache_dir=str(tmp_path / "b"), cache_disk_mib=3))

    assert cache_folder(DataConfig()) == CacheFolder(path=tmp_path / "a", most_bytes=8192 << 20)
    assert named == CacheFolder(path=tmp_path / "b", most_bytes=3 << 20)
    assert cache_folder(DataConfig(cache_disk_mib=0)) is None


def test_the_command_says_what_lies_there_and_removes_it_and_nothing_else(
    samples: list[Sample], folder: CacheFolder, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    load(samples, folder)
    (folder.path / "mine.txt").write_text("")

    assert main(["cache", "--dir", str(folder.path)]) == 0
    assert "1 files, 0.0 MB" in capsys.readouterr().out
    monkeypatch.setenv("PNEUMO_TRAIN_CACHE_DIR", str(folder.path))
    assert main(["cache", "--clear", "true"]) == 0
    assert "removed: 1 files" in capsys.readouterr().out
    assert [path.name for path in folder.path.iterdir()] == ["mine.txt"]
    monkeypatch.delenv("PNEUMO_TRAIN_CACHE_DIR")
    assert main(["cache"]) == 2
    assert "--dir is missing" in capsys.readouterr().err


def test_check_reads_by_the_cache_and_says_the_same(
    phantoms: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    options = ["check", "--source", str(phantoms), "--data.image_size=32", "--data.patient_column=source_patient"]
    told = []
    for more in ([], [f"--data.cache_dir={tmp_path / 'decoded'}"], [f"--data.cache_dir={tmp_path / 'decoded'}"]):
        assert main([*options, *more]) == 0
        told.append(capsys.readouterr().out)

    assert told[0] == told[1] == told[2]
    assert len(list((tmp_path / "decoded").iterdir())) == 1
