"""A store that is open and used shows no secret of its URL, in this process or on disk (OPEN.6). On real servers."""

from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, unquote_plus, urlsplit

import pytest

from hiding.saying import all_of, everything_said
from hiding.urls import ODD, SECRET, around
from runstore import MetricPoint, open_reader, open_store
from runstore.errors import SettingsError
from runstore.provenance import gather_provenance
from support.walking import contents_below

_PASSWORDS = {kind: around(odd) for kind, odd in ODD.items()}
_REFUSED_BY_MONGODB = {_PASSWORDS["colon"], _PASSWORDS["percent"], _PASSWORDS["a looked-for escape"]}
_ESCAPED = {"escaped": quote(around("@/?# \\'\"<>"), safe="")}


def _with_user(url: str, user: str, password: str, options: str = "") -> str:
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    query = "&".join(each for each in (parts.query, options) if each)
    return f"{parts.scheme}://{user}:{password}@{host}{parts.path}{'?' if query else ''}{query}"


def _use(url: str, tmp_path: Path) -> tuple[str, str]:
    """Trains a little, bare and recorded; all that was said or can be seen in the process, and what reads give back."""
    (tmp_path / "model.bin").write_bytes(b"weights")
    with everything_said() as said:
        for durable in (False, True):
            with open_store(url, durable=durable) as store:
                said.write(_reprs(store))
                experiment = store.get_or_create_experiment("hiding")
                run_id = store.ensure_run(experiment, provenance=gather_provenance(argv=["train", "--store", url]))
                store.log_metrics(run_id, [MetricPoint(name="loss", value=0.5, step=0, dataset_type="train")])
                store.log_artifact(run_id, tmp_path / "model.bin")
                store.finalize(run_id, "failed", error=RuntimeError(f"could not write to {url}"))
                if durable:
                    said.write(repr(store.health()))  # type: ignore[attr-defined]
        with open_reader(url) as reader:
            said.write(_reprs(reader))
            kept = repr(reader.get_run(run_id)) + repr(reader.list_artifacts(run_id))
    return said.getvalue(), kept


def _reprs(store: Any) -> str:
    """The store's, and those of what it is made of."""
    inner = getattr(store, "_worker", None)
    bare = store if inner is None else inner.store
    database, connection = getattr(bare, "database", None), getattr(bare, "_connection", None)
    parts = [store, bare]
    parts += [] if database is None else [database, database.url, database.engine, database.engine.pool]
    parts += [] if connection is None else [connection, connection.client, connection.database]
    return "".join(map(repr, parts))


def _on_disk(folder: Path) -> str:
    return "".join(f"{path}\n{content.decode('utf-8', 'replace')}" for path, content in contents_below(folder))


@pytest.fixture
def state_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "state"
    monkeypatch.setenv("RUNSTORE_STATE_DIR", str(folder))
    return folder


def _check(url: str, tmp_path: Path, state_dir: Path) -> None:
    said, kept = _use(url, tmp_path)
    noted = _on_disk(state_dir)

    assert SECRET not in said
    assert SECRET not in kept
    assert SECRET not in noted
    assert "store.json" in noted


@pytest.mark.parametrize("password", (_PASSWORDS | _ESCAPED).values(), ids=_PASSWORDS | _ESCAPED)
def test_postgresql(password: str, postgresql_url: str, tmp_path: Path, state_dir: Path) -> None:
    _check(_with_user(postgresql_url, "postgres", password), tmp_path, state_dir)


@pytest.mark.parametrize(
    "options", [f"password={SECRET}", f"sslpassword={SECRET}", f"password={SECRET}%26%20x&sslpassword={SECRET}'"]
)
def test_postgresql_with_secret_options(options: str, postgresql_url: str, tmp_path: Path, state_dir: Path) -> None:
    _check(f"{postgresql_url}?{options}", tmp_path, state_dir)


@pytest.mark.parametrize("password", (_PASSWORDS | _ESCAPED).values(), ids=_PASSWORDS | _ESCAPED)
def test_mariadb(password: str, mariadb_url: str, tmp_path: Path, state_dir: Path) -> None:
    user = _add_mariadb_user(mariadb_url, password)

    _check(_with_user(mariadb_url, user, password), tmp_path, state_dir)


@pytest.mark.parametrize("name", ["password", "passwd"])
def test_mariadb_with_a_secret_option(name: str, mariadb_url: str, tmp_path: Path, state_dir: Path) -> None:
    user = _add_mariadb_user(mariadb_url, SECRET)
    parts = urlsplit(mariadb_url)

    _check(f"mysql://{user}@127.0.0.1:{parts.port}{parts.path}?{name}={SECRET}", tmp_path, state_dir)


def _add_mariadb_user(url: str, password: str) -> str:
    """A user of this test's own: its server serves the tests of other processes, too."""
    pymysql = pytest.importorskip("pymysql")
    parts = urlsplit(url)
    user = f"hidden_{parts.path[1:]}"
    admin = pymysql.connect(host=parts.hostname, port=parts.port, user=parts.username, autocommit=True)
    with admin, admin.cursor() as cursor:
        cursor.execute(f"CREATE USER {user} IDENTIFIED BY %s", (unquote(password),))
        cursor.execute(f"GRANT ALL ON `{parts.path[1:]}`.* TO {user}")
    return user


@pytest.mark.parametrize("password", (_PASSWORDS | _ESCAPED).values(), ids=_PASSWORDS | _ESCAPED)
def test_mongodb(password: str, mongodb_url: str, tmp_path: Path, state_dir: Path) -> None:
    pymongo = pytest.importorskip("pymongo")
    parts = urlsplit(mongodb_url)
    with pymongo.MongoClient(mongodb_url) as admin:
        admin[parts.path[1:]].command(
            "createUser", "hidden", pwd=unquote_plus(password), roles=["readWrite", "dbAdmin"]
        )

    if password in _REFUSED_BY_MONGODB:
        with everything_said() as said, pytest.raises(SettingsError, match=r"must be escaped") as caught:
            open_store(_with_user(mongodb_url, "hidden", password))
        assert SECRET not in said.getvalue() + all_of(caught.value)
    else:
        _check(_with_user(mongodb_url, "hidden", password), tmp_path, state_dir)
