"""The options of a MySQL or MariaDB URL."""

import re
from typing import Any, Final

import sqlalchemy as sa

from runstore.errors import SettingsError
from runstore_sql.dialects.options import check_known

_TAKEN: Final = frozenset(
    {
        "bind_address",
        "compress",
        "connect_timeout",
        "host",
        "passwd",
        "password",
        "program_name",
        "read_default_file",
        "read_default_group",
        "read_timeout",
        "server_public_key",
        "ssl_ca",
        "ssl_capath",
        "ssl_cert",
        "ssl_check_hostname",
        "ssl_cipher",
        "ssl_disabled",
        "ssl_key",
        "ssl_key_password",
        "ssl_verify_cert",
        "ssl_verify_identity",
        "unix_socket",
        "write_timeout",
    }
)
_SECONDS: Final = ("connect_timeout", "read_timeout", "write_timeout")
_SWITCHES: Final = ("compress", "ssl_check_hostname", "ssl_disabled", "ssl_verify_cert", "ssl_verify_identity")
_WORDS: Final = {
    "1": True,
    "on": True,
    "true": True,
    "yes": True,
    "0": False,
    "off": False,
    "false": False,
    "no": False,
}
_NOT_TAKEN: Final = {
    "autocommit": "runstore begins and ends its own transactions",
    "charset": "runstore speaks utf8mb4, whatever the database's own character set is",
    "client_flag": "runstore sets the flags it needs",
    "collation": "runstore's tables name their own",
    "conv": "runstore reads values its own way",
    "cursorclass": "runstore reads rows its own way",
    "init_command": "it would change what runstore's statements mean",
    "local_infile": "runstore loads no files",
    "partition_series": "it is for PostgreSQL alone",
    "sql_mode": "runstore sets the mode that its statements are written for",
    "use_unicode": "runstore's texts are Unicode",
}
_TLS: Final = (
    "write ?ssl_ca=/path/of/ca.pem&ssl_verify_identity=true for TLS with the server's certificate checked; without "
    "any such option TLS is used where the server has it, and nothing is checked"
)
_HOST: Final = re.compile(r"(\[[^\[\]]+\]|[^:\[\]]+)(?::(\d{1,5}))?")
_PORT: Final = 3306
_MEANT: Final = dict.fromkeys(
    ("ssl", "sslmode", "usessl", "requiressl", "tls", "verifyservercertificate", "sslrootcert"), _TLS
)


def check_options(url: sa.URL) -> None:
    """Refuses options that the driver does not have, cannot read, or that would break a promise.

    Raises:
        SettingsError: names them.
    """
    check_known(url.query, _TAKEN, whose="a MySQL or MariaDB URL", refused=_NOT_TAKEN, meant=_MEANT)
    arguments_of(url)
    hosts_of(url)


def arguments_of(url: sa.URL) -> dict[str, Any]:
    """The driver's arguments.

    Raises:
        SettingsError: an option's value is not of its kind.
    """
    given: dict[str, Any] = dict(url.query)
    given.pop("host", None)  # see hosts_of
    for name in _SECONDS:
        if name in given and not (given[name].isascii() and given[name].isdigit() and 0 < int(given[name]) < 31536000):  # noqa: PLR2004 - a year, the driver's limit
            raise SettingsError(f"the option {name}={given[name]} is no whole number of seconds; give one such as 30")
        if name in given:
            given[name] = int(given[name])
    for name in _SWITCHES:
        if name in given and given[name].lower() not in _WORDS:
            raise SettingsError(f"the option {name}={given[name]} is neither true nor false; write one of them")
        if name in given:
            given[name] = _WORDS[given[name].lower()]
    tls = {name: given.pop(f"ssl_{name}") for name in ("capath", "cipher", "check_hostname") if f"ssl_{name}" in given}
    if tls:  # the driver takes these only with all the others, under its own names
        tls |= {name: given.pop(f"ssl_{name}") for name in ("ca", "cert", "key") if f"ssl_{name}" in given}
        given["ssl"] = tls
    named = {
        "host": url.host,
        "port": url.port,
        "user": url.username,
        "password": url.password,
        "database": url.database,
    }
    return {**{name: value for name, value in named.items() if value is not None}, **given}


def hosts_of(url: sa.URL) -> list[tuple[str, int]]:
    """The hosts and ports of a URL that names several, in their order; none of one that names one in its usual place.

    Raises:
        SettingsError: one of them cannot be understood.
    """
    named = url.query.get("host", ())
    found = []
    for each in (named,) if isinstance(named, str) else named:
        match = _HOST.fullmatch(each)
        if match is None:
            raise SettingsError(
                f"the host {each!r} cannot be understood; write a name, or a name and a port as in db1:3306"
            )
        found.append((match[1].strip("[]"), int(match[2] or _PORT)))
    return found
