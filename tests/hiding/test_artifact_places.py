"""A place for artifacts may have a password in its URL as well (OPEN.6)."""

from pathlib import Path

import pytest

from hiding.saying import all_of, everything_said
from hiding.urls import SECRET
from runstore import ArtifactNotFoundError, StoreFailureError, open_store
from runstore.errors import SettingsError
from runstore.provenance import gather_provenance


@pytest.mark.parametrize(
    "place",
    [
        f"ftp://me:{SECRET}@127.0.0.1:1/x",
        f"http://me:{SECRET}@127.0.0.1:1/x",
        f"https://127.0.0.1:1/x?X-Amz-Signature={SECRET}",
        f"simplecache::http://me:{SECRET}@127.0.0.1:1/x",
    ],
)
def test_a_place_that_cannot_be_written_shows_no_secret(place: str, sqlite_url: str, tmp_path: Path) -> None:
    if "http" in place:
        pytest.importorskip("aiohttp", reason="fsspec reaches http with it")
    (tmp_path / "model.bin").write_bytes(b"weights")

    with everything_said() as said, open_store(sqlite_url, durable=False, artifacts=place) as store:
        run_id = store.ensure_run(store.get_or_create_experiment("hiding"))
        with pytest.raises(StoreFailureError, match=r"\*\*\*") as caught:
            store.log_artifact(run_id, tmp_path / "model.bin")

    assert SECRET not in said.getvalue() + all_of(caught.value)


@pytest.mark.parametrize(
    "place",
    [
        f"s3://key:{SECRET}@bucket/x",
        f"simplecache::s3://key:{SECRET}@bucket/x",
        f"gs://{SECRET}@bucket",
        f"ftp://me:{SECRET}/{SECRET}@127.0.0.1:1/x",
        f"ftp://me:{SECRET}@{SECRET}@127.0.0.1:1/x",
    ],
)
def test_a_place_whose_password_cannot_be_told_is_refused_and_nothing_of_it_is_shown(
    place: str, sqlite_url: str
) -> None:
    with everything_said() as said, pytest.raises(SettingsError) as caught:
        open_store(sqlite_url, artifacts=place)

    assert SECRET not in said.getvalue() + all_of(caught.value)


def test_a_path_that_was_recorded_as_it_is_shows_no_password_in_an_error(sqlite_url: str) -> None:
    uri = f"ftp://me:{SECRET}@host/films/1.dcm"
    with open_store(sqlite_url, durable=False) as store:
        run_id = store.ensure_run(store.get_or_create_experiment("hiding"))
        recorded = store.log_artifact(run_id, uri, name="film", copy=False)
        with pytest.raises(ArtifactNotFoundError, match=r"me:\*\*\*@host") as caught:
            store.open_artifact(run_id, "film")

    assert recorded.uri == uri
    assert SECRET not in all_of(caught.value)


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        (f"https://host/films/1.dcm?X-Amz-Signature={SECRET}&x=1", "1.dcm"),
        (f"https://host/films/1.dcm#access_token={SECRET}", "1.dcm"),
        (f"ftp://me:{SECRET}@host", "host"),
        ("s3://bucket/films/a@2x#1?.png", "a@2x#1?.png"),
        ("s3://bucket/films/", "films"),
    ],
)
def test_the_name_of_a_recorded_path_has_no_secret_of_its_url(uri: str, name: str, sqlite_url: str) -> None:
    with open_store(sqlite_url, durable=False) as store:
        run_id = store.ensure_run(store.get_or_create_experiment("hiding"))
        assert store.log_artifact(run_id, uri, copy=False).name == name


def test_a_journal_that_waits_holds_no_secret_of_the_store_s_url(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNSTORE_STATE_DIR", str(tmp_path))
    url = f"postgresql://me:{SECRET}'<@127.0.0.1:1/lab?connect_timeout=1".replace("<@", "%3C@")

    with everything_said() as said, open_store(url) as store:
        run_id = store.ensure_run(store.get_or_create_experiment("hiding"), provenance=gather_provenance(argv=[url]))
        store.finalize(run_id, "failed", error=RuntimeError(f"could not write to {url}"))
        said.write(repr(store) + repr(store.health()))  # type: ignore[attr-defined]

    waiting = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"could not write to" in waiting
    assert SECRET.encode() not in waiting
    assert SECRET not in said.getvalue()
