"""Options of a URL: one that nobody knows is named, one that would break a promise is refused, TLS is said in the driver's words."""

import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from runstore.errors import SettingsError, StoreFailureError, StoreUnavailableError
from runstore.hookspecs import OpenOptions
from runstore_sql.opening import open_sql
from support.servers import private_server


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("postgresql://h/d?foo=1", "foo of a PostgreSQL URL is unknown; known are application_name"),
        ("postgresql://h/d?sslMode=require", "did you mean sslmode"),
        ("postgresql://h/d?ssl-mode=require", "did you mean sslmode"),
        ("postgresql://h/d?connect-timeout=3", "did you mean connect_timeout"),
        ("postgresql://h/d?partition_serie=3", "did you mean partition_series"),
        ("postgresql://h/d?client_encoding=latin1", "client_encoding .* UTF-8"),
        ("postgresql://h/d?replication=database", "replication .* no queries"),
        ("postgresql://h/d?autocommit=false", "autocommit of a PostgreSQL URL is unknown"),
        ("postgresql://h/d?sslmode=require&sslmode=disable", "sslmode of a PostgreSQL URL is given twice"),
        ("mysql://h/d?foo=1", "foo of a MySQL or MariaDB URL is unknown; known are bind_address"),
        ("mysql://h/d?charset=latin1", "charset .* utf8mb4"),
        ("mysql://h/d?autocommit=false", "autocommit .* own transactions"),
        ("mysql://h/d?init_command=SET+x", "init_command"),
        ("mysql://h/d?sql_mode=ANSI", "sql_mode"),
        ("mysql://h/d?cursorclass=x", "cursorclass"),
        ("mysql://h/d?ssl-mode=REQUIRED", "ssl_ca="),
        ("mysql://h/d?sslmode=require", "ssl_ca="),
        ("mysql://h/d?useSSL=true", "ssl_ca="),
        ("mariadb://h/d?ssl=true", "ssl_ca="),
        ("mysql://h/d?ssl_verify_identity=perhaps", "neither true nor false"),
        ("mysql://h/d?connect_timeout=long", "whole number of seconds"),
        ("mysql://h/d?read_timeout=0", "whole number of seconds"),
        ("mysql:///d?host=one&host=two:three", "host 'two:three' cannot be understood"),
        ("mysql://h/d?connecttimeout=3", "did you mean connect_timeout"),
    ],
)
def test_an_option_that_is_unknown_or_breaks_a_promise_is_refused_by_name(url: str, told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        open_sql(url, OpenOptions())


@pytest.mark.server
def test_the_options_of_the_drivers_are_taken(postgresql_url: str, mariadb_url: str) -> None:
    taken = "application_name=mine&connect_timeout=5&keepalives=1&sslmode=prefer&target_session_attrs=read-write"
    for url in (
        f"{postgresql_url}?{taken}",
        f"{mariadb_url}?connect_timeout=5&read_timeout=60&write_timeout=60&ssl_disabled=true&compress=false",
    ):
        with open_sql(url, OpenOptions()) as store:
            run_id = store.ensure_run(store.get_or_create_experiment("x"))

            assert store.get_run(run_id).id == run_id


@pytest.mark.server
def test_tls_that_mariadb_does_not_speak_is_a_refusal(mariadb_url: str, tmp_path: Path) -> None:
    certificate, _ = _certificate(tmp_path)

    with pytest.raises(StoreFailureError, match="TLS"):
        open_sql(f"{mariadb_url}?ssl_ca={certificate}", OpenOptions())
    with pytest.raises(SettingsError, match="nowhere"):
        open_sql(f"{mariadb_url}?ssl_ca=/nowhere.pem", OpenOptions())


@pytest.mark.server
def test_certificates_are_checked_and_those_that_do_not_pass_are_a_refusal(tmp_path: Path) -> None:
    certificate, key = _certificate(tmp_path)
    other, _ = _certificate(tmp_path, name="other")
    with private_server("mariadb", durable=False, options=[f"--ssl-cert={certificate}", f"--ssl-key={key}"]) as server:
        url = server.new_database()
        open_sql(f"{url}?ssl_ca={certificate}&ssl_verify_identity=true", OpenOptions()).close()
        with pytest.raises(StoreFailureError, match="ssl_ca"):
            open_sql(f"{url}?ssl_ca={other}&ssl_verify_identity=true", OpenOptions())
    with private_server("postgresql", durable=False) as server:
        data = server.root / "data"
        for source, target in ((certificate, "server.crt"), (key, "server.key")):
            (data / target).touch()
            subprocess.run(["chown", f"--reference={data}", str(data / target)], check=True)
            (data / target).chmod(0o600)
            (data / target).write_bytes(source.read_bytes())
        with psycopg.connect(f"{server.url}/postgres", autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET ssl = on")
            connection.execute("SELECT pg_reload_conf()")
        url = server.new_database()
        open_sql(f"{url}?sslmode=verify-full&sslrootcert={certificate}", OpenOptions()).close()
        for wrong in (f"sslmode=verify-full&sslrootcert={other}", "sslmode=verify-full&sslrootcert=/nowhere.pem"):
            with pytest.raises(StoreFailureError, match="certificate"):
                open_sql(f"{url}?{wrong}", OpenOptions())


def _certificate(folder: Path, name: str = "own") -> tuple[Path, Path]:
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "2"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    return certificate, key


@pytest.mark.server
@pytest.mark.parametrize("other", ["mariadb_url", "mongodb_url"])
def test_a_port_where_something_else_listens_is_an_error(other: str, request: pytest.FixtureRequest) -> None:
    port = urlsplit(request.getfixturevalue(other)).port

    with pytest.raises((StoreFailureError, StoreUnavailableError)):
        open_sql(f"postgresql://me@127.0.0.1:{port}/lab?connect_timeout=2", OpenOptions())
