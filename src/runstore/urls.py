"""Store URLs: their scheme, and how they are shown without their secrets (OPEN.6)."""

import re

from runstore.errors import SettingsError

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(//)?")
_USER_INFO = re.compile(r"(?<=://)\S*@")  # greedy: a password may hold an unescaped / or @
_SECRET_OPTION = re.compile(r"(?i)([?&][^=&#]*(?:password|passwd|pwd|secret|token|key)[^=&#]*=)[^&#]*")
_EMBEDDED = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s'\"<>]+")


def scheme_of(url: str) -> str:
    """The backend's scheme of a URL, in lower case: ``postgresql`` for ``postgresql+psycopg://…``.

    Raises:
        SettingsError: the text is no URL; says what one looks like.
    """
    match = _SCHEME.match(url)
    if match is None or match.group(2) is None:
        _, at, place = url.rpartition("@")
        raise SettingsError(
            f"store {f'***@{place}' if at else url!r} is no URL; give one such as sqlite:///runs.db, "
            "postgresql://user@host/database or mongodb://host/database"
        )
    scheme = match.group(1).lower()
    # mongodb+srv is a scheme of its own; postgresql+psycopg names a driver that the backend chooses itself.
    return scheme if scheme.endswith("+srv") else scheme.partition("+")[0]


def redact(text: str) -> str:
    """A text whose URLs show no user, password or secret option."""

    def hide(url: str) -> str:
        return _SECRET_OPTION.sub(r"\1***", _USER_INFO.sub(_masked_user, url))

    return _EMBEDDED.sub(lambda match: hide(match.group()), text)


def _masked_user(match: re.Match[str]) -> str:
    user, colon, _ = match.group()[:-1].partition(":")
    return f"{user}:***@" if colon else f"{user}@"
