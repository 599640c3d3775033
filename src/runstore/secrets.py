"""Secrets in text (OPEN.6): which texts are secrets, how they are hidden, and which URLs are refused.

All that leaves a process (errors and the errors behind them, logs, reprs, journals, provenance, what commands print)
goes through :func:`redact`, or through :class:`Secrets` where the URL is known. The names of what is secret stand here
and nowhere else.
"""

import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple, TypeVar
from urllib.parse import quote, quote_plus, unquote, unquote_plus

from runstore.errors import RunStoreError

HIDDEN: Final = "***"

_STRONG: Final = (
    r"pass(?:word|wd|phrase)?|pwd|secret|(?:access|auth|bearer|id|refresh|security|session)[_-]?token"
    r"|(?:api|access|account|private|secret|signing)[_-]?key|credentials?"
)
"""Names that are secrets wherever they stand: ``password = …`` in a driver's message, too."""

_WEAK: Final = r"token|auth|key|sig|signature|sas|jwt"
"""Names that are secrets as an option of a URL or a command; in prose they are words like any other."""

_KEY_FILES: Final = re.compile(r"(?:ssl|tls)_?(?:certificate)?key(?:_?file|_?path)?")
_SECRET_OPTION: Final = re.compile(
    rf"(?:.*[._-])?(?:{_STRONG}|{_WEAK})|.*(?:password|passwd|passphrase|secret|token|credentials?|signature|key)"
    "|authmechanismproperties|awsaccesskeyid"
)
_OPTION: Final = re.compile(r"[?&;#]([^=&;#?\s]+)=")
_VALUE: Final = re.compile(r"[^&\s]*")
_CLOSERS: Final = "'\"<>)],.:;"

# The bounds below (30 characters of a scheme, 60 before a name) keep the time linear: a text may be megabytes long.
_USER_INFO: Final = re.compile(
    r"""([A-Za-z][A-Za-z0-9+.\-]{0,30})://(?![/\[])
    (?:([^\s:/?#@]*):(?:
        \S{0,2000}                                           # all up to the last @ of the word: too much rather than too little
      | (?!\d{1,5}(?:[\s/?\#,;)'"\]]|$))(?:(?!://)[^@]){0,2000}?    # or, where no port follows, up to the next @: blanks as well
    )@
    | (\S{0,2000})@)""",
    re.VERBOSE,
)
_USER_INFO_OF_WORD: Final = re.compile(
    r"([A-Za-z][A-Za-z0-9+.\-]{0,30})://(?![/\[])(?:([^:/?#@]*):.*@|(.*)@)", re.DOTALL
)
_SETTING: Final = re.compile(
    rf"""(?<![^\W_])((?:[\w.\-]{{0,60}}[_.\-])?(?:{_STRONG})(?:\s*=(?!=)\s*|['"]\s*(?:=(?!=)|:)\s*))(?!//)
    ("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^&\s,;)}}\]'"]+)""",
    re.IGNORECASE | re.VERBOSE,
)
_SETTING_OF_YAML: Final = re.compile(
    rf"""^([ \t]*(?:-[ ])?['"]?(?:[\w.\-]{{0,60}}[_.\-])?(?:{_STRONG})['"]?:[ \t]+)(?!null\b|None\b|~|\*\*\*$)\S.*$""",
    re.IGNORECASE | re.MULTILINE,
)
_SETTING_OF_WORD: Final = re.compile(
    rf"(?<![A-Za-z])((?:{_STRONG}|token|auth)['\"]?\s*[=:]\s*)(?!//)[^&\s]+", re.IGNORECASE
)
_SECRET_FLAG: Final = re.compile(rf"-{{1,2}}(?:[\w.\-]{{0,60}}[_.\-])?(?:{_STRONG}|token|auth)", re.IGNORECASE)

_SHORTEST: Final = 4
"""Of a secret that is hidden wherever its text turns up; a shorter one would take parts of other words with it."""

_SAID_BY_DRIVERS: Final = frozenset(
    {
        "access", "admin", "authentication", "connection", "database", "default", "denied", "error", "failed", "host",
        "localhost", "mariadb", "mongo", "mongodb", "mysql", "password", "port", "postgres", "postgresql", "public",
        "refused", "role", "root", "runs", "runstore", "secret", "server", "sqlite", "test", "timeout", "user",
    }
)  # fmt: skip
"""Words of drivers' messages, which do not show that somebody chose one of them as password."""

_PROPERTY: Final = re.compile("[A-Z]+(_[A-Z]+)+")

_ESCAPE: Final = re.compile("%[0-9A-F]{2}")

ErrorT = TypeVar("ErrorT", bound=BaseException)


def redact(text: str) -> str:
    """A text that shows no password of a URL, no value of a secret option, and no ``password=…``.

    An ``@`` in a password need not be escaped to be hidden: all up to the last ``@`` of the word is taken for the
    user's part. Rather too much is hidden than too little.
    """
    return _searched(text) if _can_hold_secret(text) else text


def _can_hold_secret(text: str) -> bool:
    """Whether a search could find one, told quickly: it takes an ``@``, an ``=``, or a colon behind a quote or before a blank."""
    if "@" in text or "=" in text:
        return True
    return ":" in text and (": " in text or ":\t" in text or '"' in text or "'" in text)


def _searched(text: str) -> str:
    shown = _without_options(_without_users(_USER_INFO, text))
    return _SETTING_OF_YAML.sub(rf"\1{HIDDEN}", _SETTING.sub(rf"\1{HIDDEN}", shown))


def redact_arguments(argv: Sequence[str]) -> list[str]:
    """A command line that may be shown: passwords in URLs and values of secret options are hidden."""
    shown = []
    hide_next = False
    for argument in argv:
        shown.append(HIDDEN if hide_next else redact_word(argument))
        hide_next = _SECRET_FLAG.fullmatch(argument) is not None
    return shown


def redact_word(word: str) -> str:
    """One argument or setting that may be shown. A URL in it reaches up to its end, blanks and all."""
    shown = _without_options(_without_users(_USER_INFO_OF_WORD, word))
    return _SETTING_OF_WORD.sub(rf"\1{HIDDEN}", shown)


def is_secret_option(name: str) -> bool:
    """Whether an option of a URL holds a secret, by its name, escaped or not."""
    plain = unquote(name).lower()
    return _SECRET_OPTION.fullmatch(plain) is not None and _KEY_FILES.fullmatch(plain) is None


def _without_users(pattern: re.Pattern[str], text: str) -> str:
    """The text without the passwords before an ``@``. Behind the last one nothing is looked for, which saves time."""
    before, at, behind = text.rpartition("@")
    return pattern.sub(_without_password, before + at) + behind


def _without_password(found: re.Match[str]) -> str:
    scheme, user, alone = found.groups()
    if user is not None:
        return f"{scheme}://{user}:{HIDDEN}@"
    # The user of a web address is often a token, and no password follows it.
    return f"{scheme}://{HIDDEN if scheme.lower().endswith(('http', 'https')) else alone}@"


def _without_options(text: str) -> str:
    """The text without the values of secret options. Such a value reaches up to the next ``&``, whatever is in it."""
    shown, behind = "", 0
    for found in _OPTION.finditer(text):
        if found.start() >= behind and is_secret_option(found[1]):
            value = _VALUE.match(text, found.end())
            held = value[0].rstrip(_CLOSERS) if value else ""
            shown += text[behind : found.end()] + (HIDDEN if held else "")
            behind = found.end() + len(held)
    return shown + text[behind:]


class UrlParts(NamedTuple):
    """A URL cut where every driver cuts it, nothing unescaped. ``user`` and ``password`` are ``None`` where not given."""

    scheme: str
    user: str | None
    password: str | None
    hosts: str
    path: str
    options: tuple[tuple[str, str], ...]


def split_url(url: str) -> UrlParts:
    """The parts of a URL; of one that is none, what can be made out."""
    scheme, _, rest = url.partition("://")
    place, _, query = rest.partition("?")
    authority, slash, path = place.partition("/")
    user_info, at, hosts = authority.rpartition("@")
    user, colon, password = user_info.partition(":")
    options = tuple(
        (name, value) for name, _, value in (each.partition("=") for each in re.split("[&;]", query)) if name
    )
    return UrlParts(
        scheme=scheme,
        user=user if at else None,
        password=password if colon else None,
        hosts=hosts,
        path=slash + path,
        options=options,
    )


class Secrets:
    """The secrets of known URLs, which are hidden wherever their text turns up. Its repr shows none.

    A password that is also the user's or the database's name, or a common word, is hidden only where it stands as a
    password: hiding it everywhere would blank the text and show nothing less.

    Attributes:
        pattern: what is hidden by its text; ``None`` for nothing.
    """

    __slots__ = ("pattern",)

    def __init__(self, *urls: str | None) -> None:
        secret: set[str] = set()
        public: set[str] = set(_SAID_BY_DRIVERS)
        for url in urls:
            if url is not None and "://" in url:
                parts = split_url(url)
                secret.update(_secrets_of(parts))
                public.update(each.lower() for each in _public_of(parts))
        hidden = {form for each in secret for form in _forms(each) if len(form) >= _SHORTEST}
        words = sorted((each for each in hidden if each.lower() not in public), key=len, reverse=True)
        self.pattern: re.Pattern[str] | None = re.compile("|".join(map(_bounded, words))) if words else None

    def hide(self, text: str) -> str:
        """The text without these secrets, nor any other that :func:`redact` knows."""
        shown = redact(text)
        return shown if self.pattern is None else self.pattern.sub(HIDDEN, shown)

    def __repr__(self) -> str:
        """No secret."""
        return "Secrets(***)"


def _secrets_of(parts: UrlParts) -> Iterator[str]:
    if parts.password:
        yield parts.password
    for name, value in parts.options:
        if is_secret_option(name) and value:
            yield value
            # AWS_SESSION_TOKEN:…,SERVICE_NAME:…
            yield from (each for each in re.split("[,:]", unquote_plus(value)) if not _PROPERTY.fullmatch(each))


def _public_of(parts: UrlParts) -> Iterator[str]:
    yield parts.scheme
    yield from (parts.user or "", unquote(parts.user or ""))
    yield from re.split("[,:]", parts.hosts)
    yield from unquote(parts.path).split("/")
    for name, value in parts.options:
        yield name
        if not is_secret_option(name):
            yield unquote(value)


def _forms(secret: str) -> set[str]:
    """The ways in which a driver may write a secret: escaped or not, and as a repr or JSON has it."""
    import json  # noqa: PLC0415 - not every program that opens a store has it loaded

    plain = {secret, unquote(secret), unquote_plus(secret)}
    escaped = {form for each in plain for form in (quote(each, safe=""), quote(each), quote_plus(each))}
    escaped |= {_ESCAPE.sub(lambda found: found[0].lower(), each) for each in escaped}
    return {form for each in plain for form in (each, repr(each)[1:-1], json.dumps(each)[1:-1])} | escaped


def _bounded(word: str) -> str:
    """Matches a text that is no part of a longer word."""
    before = r"(?<!\w)" if re.match(r"\w", word[0]) else ""
    behind = r"(?!\w)" if re.match(r"\w", word[-1]) else ""
    return f"{before}{re.escape(word)}{behind}"


class _HidingFilter(logging.Filter):
    """Lets every record through, without the secrets."""

    def __init__(self, secrets: Secrets) -> None:
        super().__init__()
        self.secrets = secrets

    def __eq__(self, other: object) -> bool:
        """Filters of the same secrets are one: a logger takes only one of them."""
        return isinstance(other, _HidingFilter) and other.secrets.pattern == self.secrets.pattern

    def __hash__(self) -> int:
        return hash(self.secrets.pattern)

    def filter(self, record: logging.LogRecord) -> bool:
        said = record.getMessage()
        shown = self.secrets.hide(said)
        if shown != said:
            record.msg, record.args = shown, None
        return True


def hide_in_logs(secrets: Secrets, libraries: Iterable[str]) -> None:
    """From now on what these libraries log shows none of the secrets; nothing changes where there are none."""
    if secrets.pattern is None:
        return
    known = [name for name in logging.root.manager.loggerDict if name.partition(".")[0] in set(libraries)]
    for name in {*libraries, *known}:
        logging.getLogger(name).addFilter(_HidingFilter(secrets))


class HiddenError(Exception):
    """Stands for an error of another library whose message held a secret; has its type's name, message and traceback."""


def without_secrets(error: ErrorT, secrets: Secrets) -> ErrorT:
    """The error, with no secret in what a traceback prints of it and of all the errors behind it.

    Ours are changed in place; another library's error is replaced by a :class:`HiddenError`, if it shows a secret.
    """
    _clean_behind(error, secrets, set())
    _hide_in_place(error, secrets)
    return error


def _clean_behind(error: BaseException, secrets: Secrets, seen: set[int]) -> None:
    seen.add(id(error))
    is_suppressed = error.__suppress_context__  # set anew by every change of the cause
    cause, context = error.__cause__, error.__context__
    clean_cause = _cleaned(cause, secrets, seen)
    if clean_cause is not cause:
        error.__cause__ = clean_cause
    clean_context = clean_cause if context is cause else _cleaned(context, secrets, seen)
    if clean_context is not context:
        error.__context__ = clean_context
    error.__suppress_context__ = is_suppressed


def _cleaned(error: BaseException | None, secrets: Secrets, seen: set[int]) -> BaseException | None:
    if error is None or id(error) in seen:
        return error
    _clean_behind(error, secrets, seen)
    shown = _shown(error)
    if secrets.hide(shown) == shown:
        return error
    if isinstance(error, RunStoreError):
        _hide_in_place(error, secrets)
        return error
    kind = type(error)
    stand_in = HiddenError(f"{kind.__module__}.{kind.__qualname__}: {secrets.hide(str(error))}")
    stand_in.__cause__, stand_in.__context__ = error.__cause__, error.__context__
    stand_in.__suppress_context__ = error.__suppress_context__
    return stand_in.with_traceback(error.__traceback__)


def _hide_in_place(error: BaseException, secrets: Secrets) -> None:
    shown = _shown(error)
    if secrets.hide(shown) != shown:
        error.args = tuple(secrets.hide(each) if isinstance(each, str) else each for each in error.args)
        if hasattr(error, "__notes__"):
            error.__notes__ = [secrets.hide(note) for note in error.__notes__]


def _shown(error: BaseException) -> str:
    """All that Python may print of an error: it escapes some characters in a repr."""
    notes: Iterable[str] = getattr(error, "__notes__", ())
    return "\n".join((str(error), *(each for each in error.args if isinstance(each, str)), *notes))
