"""The options for TLS that docs/access.md names: a server is who its authority says it is, or it is refused."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psycopg
import pytest

from documentation.pages import PAGES
from runstore import open_store
from runstore.errors import StoreFailureError
from support import session
from support.servers import Server, private_server

pytestmark = pytest.mark.server

_ROWS: Final = re.compile(r"^\| ([\w, ]+) \| `(\?[^`]+)` \|$", re.MULTILINE)
OPTIONS: Final[dict[str, str]] = dict(_ROWS.findall(PAGES["docs/access.md"].read_text(encoding="utf-8")))
TITLES: Final = {"postgresql": "PostgreSQL", "mariadb": "MySQL, MariaDB", "mongodb": "MongoDB"}


def _openssl(*words: str | Path) -> None:
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)


def _authority(folder: Path, name: str) -> Path:
    certificate = folder / f"{name}.pem"
    _openssl(
        *("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-days", "2"),
        *("-keyout", folder / f"{name}.key", "-out", certificate),
    )
    return certificate


def _signed(folder: Path, authority: Path, address: str) -> tuple[Path, Path]:
    """A certificate for a server at this address, and its key."""
    key, asked, certificate = (folder / f"{address}.{end}" for end in ("key", "csr", "pem"))
    (folder / "names").write_text(f"subjectAltName=IP:{address}\n")
    _openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={address}", "-keyout", key, "-out", asked)
    _openssl(
        *("x509", "-req", "-in", asked, "-CA", authority, "-CAkey", authority.with_suffix(".key"), "-CAcreateserial"),
        *("-days", "2", "-extfile", folder / "names", "-out", certificate),
    )
    return certificate, key


@contextmanager
def _server(kind: str, certificate: Path, key: Path, both: Path) -> Iterator[Server]:
    both.write_text(key.read_text() + certificate.read_text())
    options = {
        "postgresql": [],
        "mariadb": [f"--ssl-cert={certificate}", f"--ssl-key={key}"],
        "mongodb": ["--tlsMode", "preferTLS", "--tlsCertificateKeyFile", str(both)],
    }
    with private_server(kind, durable=False, options=options[kind]) as server:
        if kind == "postgresql":
            data = server.root / "data"
            for source, target in ((certificate, data / "server.crt"), (key, data / "server.key")):
                shutil.copyfile(source, target)
                shutil.chown(target, data.owner(), data.group())
                target.chmod(0o600)
            with psycopg.connect(f"{server.url}/postgres", autocommit=True) as connection:
                connection.execute("ALTER SYSTEM SET ssl = on")
                connection.execute("SELECT pg_reload_conf()")
        yield server


@pytest.mark.parametrize("kind", TITLES)
def test_a_server_of_another_authority_or_another_name_is_refused(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    session.needs(request.node, kind)
    more = "&serverSelectionTimeoutMS=1500" if kind == "mongodb" else ""  # which it waits for before it refuses
    ours, other = _authority(tmp_path, "ours"), _authority(tmp_path, "other")

    def url(server: Server, authority: Path) -> str:
        options = OPTIONS[TITLES[kind]].replace("/path/of/ca.pem", str(authority))
        return f"{server.new_database()}{options}{more}"

    with _server(kind, *_signed(tmp_path, ours, "127.0.0.1"), tmp_path / "both") as server:
        with open_store(url(server, ours), durable=False) as store:
            run_id = store.ensure_run(store.get_or_create_experiment("x"))
            assert store.get_run(run_id).id == run_id
        with pytest.raises(StoreFailureError, match=r"certificate|tlsCAFile|ssl_ca"):
            open_store(url(server, other), durable=False)
    with (
        _server(kind, *_signed(tmp_path, ours, "127.0.0.2"), tmp_path / "both") as server,
        pytest.raises(StoreFailureError, match=r"certificate|tlsCAFile|ssl_ca"),
    ):
        open_store(url(server, ours), durable=False)
