"""Store URLs: their scheme, and which are refused because they cannot be cut into parts safely (OPEN.6)."""

import re
import unicodedata

from runstore.errors import SettingsError
from runstore.local.homes import expanded
from runstore.secrets import split_url

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(//)?")
_HARMLESS = re.compile(r"[\w./\\ -]{1,200}|[A-Za-z]:[\w./\\ -]{1,200}")
_OF_SQLITE = (".db", ".db3", ".sqlite", ".sqlite3")
_IN_BRACKETS = re.compile(r"\[[^\[\]]*\]")
_LAST_PORT = 65535

_ON_SERVERS = frozenset({"mariadb", "mongodb", "mongodb+srv", "mysql", "postgres", "postgresql"})
"""Schemes whose URLs hold no path of a file, also where no host is named."""

_ON_DISK = frozenset({"file", "local", "memory"})
_BUCKETS = frozenset({"gcs", "gs", "s3", "s3a"})

_HOW_TO_ESCAPE = (
    "in user, password, database and options write @ as %40, / as %2F, : as %3A, ? as %3F, # as %23, & as %26, % as %25 "
    "and a blank as %20; in Python urllib.parse.quote(password, safe='') does that. The URL is not shown here, "
    "because it may hold a password"
)


def scheme_of(url: str) -> str:
    """The backend's scheme of a URL, in lower case: ``postgresql`` for ``postgresql+psycopg://…``.

    Raises:
        SettingsError: the text is no URL; says what one looks like.
    """
    match = _SCHEME.match(url)
    if match is None or match.group(2) is None:
        # What is no plain file name may hold a password: user:password@host, host=… password=…
        file = _sqlite_file(url)
        is_harmless = file is not None or _HARMLESS.fullmatch(url)
        named = f"store {url!r}" if is_harmless else "the store's text, not shown because it may hold a password,"
        meant = "" if file is None else f" (for that SQLite file write sqlite:///{file})"
        raise SettingsError(
            f"{named} is no URL{meant}; give one such as sqlite:///runs.db, "
            "postgresql://user@host/database or mongodb://host/database, without quotes around it"
        )
    scheme = match.group(1).lower()
    # mongodb+srv is a scheme of its own; postgresql+psycopg names a driver that the backend chooses itself.
    return scheme if scheme.endswith("+srv") else scheme.partition("+")[0]


def _sqlite_file(text: str) -> str | None:
    """The file that is meant by its bare path, or by a URL that lacks slashes; ``None`` where that is not plain to see."""
    path = re.sub(r"\Asqlite3?:", "", text, flags=re.IGNORECASE)
    if not _HARMLESS.fullmatch(path):
        return None
    return path if path != text or path.lower().endswith(_OF_SQLITE) else None


def with_plain_scheme(url: str) -> str:
    """The URL with its scheme in lower case, as drivers want it: ``SQLITE:///runs.db`` means the same."""
    scheme, mark, rest = url.partition("://")
    return f"{scheme.lower()}{mark}{rest}"


def file_of(url: str) -> str | None:
    """The path that a URL of a file names, as it is written; ``None`` where it names none.

    Three slashes before a relative path and four before an absolute one, as in ``sqlite:///runs.db``: so it is for every
    scheme but those of servers, also for one that only a plugin knows.
    """
    authority_and_path = url.partition("://")[2].partition("?")[0]
    if scheme_of(url) in _ON_SERVERS | {"memory"} or not authority_and_path.startswith("/"):
        return None
    path = authority_and_path.removeprefix("/")
    return None if not path or path == ":memory:" or path.startswith("file:") else path


def absolute_url(url: str) -> str:
    """The URL as it is to be found from any working directory: a file by its absolute path.

    Raises:
        SettingsError: the text is no URL, or begins in a home directory that is not known.
    """
    path = file_of(url)
    if path is None:
        return url
    head, _, rest = url.partition("://")
    _, question, options = rest.partition("?")
    return f"{head}:///{expanded(path, called=f'the path of the {head}:/// URL')}{question}{options}"


def check_splits(url: str) -> None:
    """Refuses a URL of which nobody can say for sure where its password ends, before a driver guesses.

    A file's path (``sqlite:///…``) may hold what it likes but control characters.

    Raises:
        SettingsError: says what is wrong and how to escape it, and shows nothing of the URL but its scheme.
    """
    scheme = scheme_of(url)
    if scheme == "sqlite" and url.partition("://")[2][:1] not in {"", "/", "?"}:
        raise SettingsError(
            "the store's sqlite:// URL names a host, and a file has none; write three slashes before a relative path "
            "and four before an absolute one: sqlite:///runs.db, sqlite:////data/runs.db"
        )
    found = _what_is_wrong(url, is_on_server=scheme in _ON_SERVERS)
    if found is not None:
        raise SettingsError(f"the store's {scheme}:// URL {found}; {_HOW_TO_ESCAPE}")


def check_place_splits(root: str) -> None:
    """Refuses a URL of a place for artifacts whose password would be guessed at, or taken for the bucket's name.

    Raises:
        SettingsError: as above.
    """
    for part in root.split("::"):  # fsspec's chains, such as simplecache::ftp://me:password@host
        scheme, mark, rest = part.partition("://")
        authority, slash, behind = rest.partition("/")
        if not mark or scheme in _ON_DISK:
            continue
        if scheme in _BUCKETS and "@" in authority:
            raise SettingsError(
                f"the artifacts' {scheme}:// URL has something before an '@', but a bucket takes no user and password; "
                "give them as its client wants them (for S3 in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY), and the "
                f"place as {scheme}://bucket/folder"
            )
        has_password = ":" in authority and "@" not in authority and "@" in behind
        if has_password or authority.count("@") > 1:
            found = f"has an unescaped {slash or '@'!r} in its user or password"
            raise SettingsError(f"the artifacts' {scheme}:// URL {found}; {_HOW_TO_ESCAPE}")


def _what_is_wrong(url: str, *, is_on_server: bool) -> str | None:
    if any(unicodedata.category(each) in {"Cc", "Zl", "Zp"} for each in url):
        return "holds a line break or another control character"
    rest = url.partition("://")[2]
    is_file = rest.startswith("/") and not is_on_server
    if not is_file:
        found = _wrong_in_authority(rest)
        if found is not None:
            return found
    if any(each and "=" not in each for each in re.split("[&;]", rest.partition("?")[2])):
        return "holds something behind its ? that is no option such as timeout=30"
    return None


def _wrong_in_authority(rest: str) -> str | None:
    if any(each.isspace() for each in rest):
        return "holds a blank"
    authority = re.split("[/?#]", rest, maxsplit=1)[0]
    behind = rest[len(authority) :]
    if "@" in behind and "@" not in authority:
        return f"has an unescaped {behind[0]!r} in its user or password (write it as %{ord(behind[0]):02X}), or an unescaped '@' behind its host"
    if rest.count("@") > 1:
        return "has more than one unescaped '@'"
    if "#" in rest:
        return "has an unescaped '#'"
    for host in split_url(f"x://{authority}").hosts.split(","):
        port = _IN_BRACKETS.sub("", host).partition(":")[2]
        if port and not (port.isascii() and port.isdecimal() and int(port) <= _LAST_PORT):
            return "has something behind its host's ':' that is no port"
    return None
