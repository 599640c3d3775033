"""What reaches places for artifacts under a URL is installed by who has one: nothing else needs it."""

import subprocess
import sys
from pathlib import Path

import pytest

from runstore import open_store
from runstore.artifacts import blobs_at
from runstore.errors import SettingsError

_KEEP = """
import sys
sys.modules["fsspec"] = None  # as where it is not installed
from pathlib import Path
from runstore import open_reader, open_store
url, *places = sys.argv[1:]
Path("weights.bin").write_bytes(b"weights")
for number, place in enumerate([None, *places]):
    with open_store(url, artifacts=place, durable=number == 0) as store:
        run_id = store.ensure_run(store.get_or_create_experiment("local"))
        store.log_artifact(run_id, "weights.bin")
        store.finalize(run_id, "completed")
    with open_reader(url, artifacts=place) as reader, reader.open_artifact(run_id, "weights.bin") as stream:
        print(stream.read())
"""


@pytest.fixture
def without_fsspec(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", None)


def test_a_sqlite_store_with_artifacts_in_a_folder_needs_no_fsspec(sqlite_url: str, tmp_path: Path) -> None:
    places = [str(tmp_path / "named"), f"file://{tmp_path}/as-url"]

    done = subprocess.run(
        [sys.executable, "-c", _KEEP, sqlite_url, *places], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert (done.stdout, done.stderr) == ("b'weights'\n" * 3, "")


@pytest.mark.usefixtures("without_fsspec")
@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("s3://bucket/x", r'cannot be reached without s3fs; run: pip install "runstore\[s3\]", or give another place'),
        ("gs://bucket", "without gcsfs; run: pip install gcsfs"),
        ("abfss://container/x", "without adlfs; run: pip install adlfs"),
        ("simplecache::s3://bucket/x", r"without s3fs; run: pip install \"runstore\[s3\]\""),
        ("sftp://host/x", "without fsspec; run: pip install fsspec"),
        ("nonsense://host/x", "without fsspec; run: pip install fsspec"),
    ],
)
def test_a_place_under_a_url_says_what_to_install(place: str, told: str, sqlite_url: str) -> None:
    for refused in (lambda: open_store(sqlite_url, artifacts=place), lambda: blobs_at(place)):
        with pytest.raises(SettingsError, match=told):
            refused()


def test_with_fsspec_alone_a_bucket_names_its_client(sqlite_url: str) -> None:
    program = """
import sys
sys.modules["s3fs"] = sys.modules["gcsfs"] = sys.modules["adlfs"] = None  # as where they are not installed
from runstore import errors, open_store
for place in ("s3://bucket/x", "gs://bucket/x", "abfss://container@account/x"):
    try:
        open_store(sys.argv[1], artifacts=place)
    except errors.SettingsError as error:
        print(error)
"""

    done = subprocess.run(
        [sys.executable, "-c", program, sqlite_url], capture_output=True, text=True, check=False
    ).stdout.splitlines()

    assert [line.partition("; run: ")[2].partition(",")[0] for line in done] == [
        'pip install "runstore[s3]"',
        "pip install gcsfs",
        "pip install adlfs",
    ]
