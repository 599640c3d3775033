"""MongoDB servers that turn us away, and URLs under which nothing would be kept: errors at opening (OPEN.8, ERR.3)."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pymongo
import pytest

from runstore.errors import SettingsError, StoreFailureError, StoreUnavailableError
from runstore_mongo.store import MongoStore
from support.servers import Server, private_server

_QUICK = "serverSelectionTimeoutMS=700"


@pytest.fixture(scope="module")
def strict() -> Iterator[Server]:
    """A mongod that asks for users: one who may write, one who may read, one who may nothing."""
    with private_server("mongodb", options=["--auth"]) as server:
        with pymongo.MongoClient[dict[str, Any]](server.url) as client:
            admin = client.admin
            admin.command("createUser", "root", pwd="rootspw", roles=["root"])
        with pymongo.MongoClient[dict[str, Any]](_as(server, "root:rootspw", "admin")) as client:
            for name, roles in (("writer", ["readWrite"]), ("reader", ["read"]), ("nobody", [])):
                client.lab.command("createUser", name, pwd="secret", roles=roles)
        yield server


def _as(server: Server, user: str, database: str, options: str = "") -> str:
    return f"mongodb://{user}@127.0.0.1:{server.ports[0]}/{database}?{_QUICK}{options}"


@pytest.mark.server
@pytest.mark.parametrize(
    ("user", "options", "told"),
    [
        ("writer:wrong", "", "authSource"),
        ("stranger:secret", "", "authSource"),
        ("writer:secret", "&authSource=admin", "authSource"),
        ("nobody:secret", "", "readWrite"),
        ("reader:secret", "", "readWrite"),
    ],
)
def test_a_user_who_may_not_write_is_refused_at_opening(strict: Server, user: str, options: str, told: str) -> None:
    MongoStore(_as(strict, "writer:secret", "lab")).close()

    with pytest.raises(StoreFailureError, match=told) as caught:
        MongoStore(_as(strict, user, "lab", options))

    assert "secret" not in str(caught.value)


@pytest.mark.server
def test_a_user_who_may_read_reads(strict: Server) -> None:
    with MongoStore(_as(strict, "writer:secret", "lab")) as store:
        run_id = store.ensure_run(store.get_or_create_experiment("x"))

    with MongoStore(_as(strict, "reader:secret", "lab"), read_only=True) as reader:
        assert reader.get_run(run_id).id == run_id


@pytest.mark.server
def test_no_user_at_all_is_told_to_ask_for_one(strict: Server) -> None:
    for read_only in (True, False):
        with pytest.raises(StoreFailureError, match="role readWrite"):
            MongoStore(f"mongodb://127.0.0.1:{strict.ports[0]}/lab", read_only=read_only)


@pytest.mark.parametrize("options", ["replicaSet=another", "tls=true", "replicaSet=another&directConnection=true"])
def test_hosts_that_answer_and_are_not_what_the_url_asks_for_are_a_refusal(
    mongodb_url: str, mongodb_replica_url: str, options: str
) -> None:
    for url in (mongodb_url, mongodb_replica_url):
        plain = url.partition("?")[0]
        with pytest.raises(StoreFailureError, match="replicaSet"):
            MongoStore(f"{plain}?{options}&{_QUICK}")


@pytest.mark.server
def test_a_certificate_that_cannot_be_checked_is_a_refusal(tmp_path: Path) -> None:
    key, certificate, both = (tmp_path / name for name in ("key.pem", "certificate.pem", "both.pem"))
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "2"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    both.write_text(key.read_text() + certificate.read_text())
    with private_server("mongodb", options=["--tlsMode", "preferTLS", "--tlsCertificateKeyFile", str(both)]) as server:
        url = f"mongodb://127.0.0.1:{server.ports[0]}/lab?tls=true&{_QUICK}"

        MongoStore(f"{url}&tlsCAFile={certificate}").close()
        with pytest.raises(StoreFailureError, match="tlsCAFile"):
            MongoStore(url)


def test_a_host_that_nobody_listens_on_may_come_back() -> None:
    with pytest.raises(StoreUnavailableError):
        MongoStore(f"mongodb://127.0.0.1:1/lab?{_QUICK}")
    with pytest.raises(StoreUnavailableError):
        MongoStore(f"mongodb://127.0.0.1:1/lab?replicaSet=rs0&{_QUICK}")


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ("w=0", "w=majority"),
        ("W=0", "w=majority"),
        ("connectTimeout=3", "connectTimeout .* did you mean .*connecttimeoutms"),
        ("connectTimeoutMS=soon", "connectTimeoutMS .* integer"),
        ("tls=perhaps", "tls .* 'true' or 'false'"),
        ("tlsCAFile=/nowhere.pem", "tlsCAFile"),
        ("sslmode=require", "sslmode"),
        ("readPreference=anyone", "readPreference"),
    ],
)
def test_an_option_that_is_unknown_or_breaks_a_promise_is_refused_by_name(option: str, told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        MongoStore(f"mongodb://127.0.0.1:1/lab?{option}")


@pytest.mark.parametrize("options", ["readPreference=secondary", "w=1&journal=false", "retryWrites=false"])
def test_options_that_the_driver_has_are_taken(mongodb_replica_url: str, options: str) -> None:
    parts = urlsplit(mongodb_replica_url)
    with MongoStore(parts._replace(query=f"{parts.query}&{options}").geturl()) as store:
        run_id = store.ensure_run(store.get_or_create_experiment("x"))

        assert store.get_run(run_id).id == run_id
