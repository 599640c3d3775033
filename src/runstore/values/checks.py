"""The rules that every value must keep, each checked in one place and used by every backend.

A check returns the value in its canonical form or raises :class:`~runstore.errors.InvalidValueError` with a message
that names the field, what was found and what is allowed. Nothing here touches a database.
"""

import math
import operator
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Final

from runstore._failure_text import kept_text
from runstore.errors import InvalidValueError
from runstore.model import (
    DATASET_TYPES,
    TERMINAL_STATUSES,
    RunFailure,
    RunStatus,
    to_microseconds,
)
from runstore.secrets import redact

MAX_NAME_LENGTH: Final = 255
MAX_WORD_LENGTH: Final = 50
MAX_TEXT_LENGTH: Final = 65_535
MAX_TAGS_BYTES: Final = 2**20
"""Bytes of a run's tags together, in UTF-8; each is counted with ``_TAG_BYTES`` on top (RUN.11)."""

_TAG_BYTES: Final = 32
MAX_STEP: Final = 2**63 - 1
MAX_PAGE: Final = 10_000
_SHOWN: Final = 80

_MOST_KNOWN: Final = 10_000
_known_run_ids: Final[set[str]] = set()
"""Run ids that keep the rule of names: a program logs to the same few again and again."""


def check_name(value: object, field: str) -> str:
    """A name of 1-255 printable characters, exactly as given (EXP.3, MET.6)."""
    text = check_text(value, field, max_length=MAX_NAME_LENGTH)
    if not text:
        raise InvalidValueError(f"{field} is empty; give 1 to {MAX_NAME_LENGTH} characters")
    if text.isprintable():  # the usual case at C speed; what is left are rare spaces, joiners and control characters
        return text
    for position, character in enumerate(text):
        if unicodedata.category(character) == "Cc":
            raise InvalidValueError(
                f"{field} {shown(text)} has the control character U+{ord(character):04X} at position {position}; "
                "use printable characters"
            )
    return text


def check_run_id(value: object, field: str = "run_id") -> str:
    """A run id: opaque, chosen by the caller or made by us, under the rule of names."""
    if type(value) is str and value in _known_run_ids:
        return value
    run_id = check_name(value, field)
    if len(_known_run_ids) >= _MOST_KNOWN:
        _known_run_ids.clear()
    _known_run_ids.add(run_id)
    return run_id


def check_run_ids(value: object) -> list[str]:
    """Run ids, each once, in the order given."""
    try:
        if isinstance(value, (str, bytes)):
            raise TypeError  # noqa: TRY301 - as what cannot be gone through
        given = list(value)  # type: ignore[call-overload]  # refused below, in words
    except TypeError:
        raise InvalidValueError(
            f"run_ids is {shown(value)} of type {type(value).__name__}; give a list of run ids"
        ) from None
    return list(dict.fromkeys(check_run_id(run_id, f"run_ids[{index}]") for index, run_id in enumerate(given)))


def check_word(value: object, field: str) -> str:
    """A short name of 1-50 characters, as for a training mode or an artifact type."""
    text = check_name(value, field)
    if len(text) > MAX_WORD_LENGTH:
        raise InvalidValueError(f"{field} {shown(text)} has {len(text)} characters; at most {MAX_WORD_LENGTH} are kept")
    return text


def check_text(value: object, field: str, *, max_length: int | None = MAX_TEXT_LENGTH) -> str:
    """Any text that every database can keep: no NUL and no lone surrogate."""
    if not isinstance(value, str):
        raise InvalidValueError(f"{field} is {shown(value)} of type {type(value).__name__}; give a str")
    if max_length is not None and len(value) > max_length:
        raise InvalidValueError(f"{field} has {len(value)} characters; at most {max_length} are kept")
    if "\x00" in value:
        raise InvalidValueError(f"{field} {shown(value)} holds a NUL character, which no database keeps; remove it")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise InvalidValueError(
                f"{field} {shown(value)} holds a lone surrogate at position {error.start}, which is not Unicode text; "
                "decode the text properly first"
            ) from None
    return value if type(value) is str else str.__str__(value)  # an enum's own ``__str__`` may say something else


def check_optional_text(value: object, field: str) -> str | None:
    """``None``, or a text that every database can keep."""
    return None if value is None else check_text(value, field)


def check_optional_name(value: object, field: str) -> str | None:
    """``None``, or a name of 1-255 printable characters."""
    return None if value is None else check_name(value, field)


def check_tags(tags: object) -> dict[str, str]:
    """Short texts by name, in the order of their names."""
    if tags is None:
        return {}
    if not isinstance(tags, Mapping):
        raise InvalidValueError(f"tags is {shown(tags)} of type {type(tags).__name__}; give a mapping of text to text")
    checked = {check_name(key, "tags key"): _check_tag(key, value) for key, value in tags.items()}
    size = sum(_TAG_BYTES + len(key.encode()) + len(value.encode()) for key, value in checked.items())
    if size > MAX_TAGS_BYTES:
        raise InvalidValueError(
            f"tags would take {size} bytes; at most {MAX_TAGS_BYTES} are kept. Log large texts as an artifact"
        )
    return dict(sorted(checked.items()))


def _check_tag(key: str, value: object) -> str:
    if isinstance(value, (bool, int, float)):
        raise InvalidValueError(
            f"tags[{key!r}] is {shown(value)} of type {type(value).__name__}, and a tag is a text; give a str: {str(value)!r}"
        )
    return check_text(value, f"tags[{key!r}]")


def check_time(value: object, field: str) -> int:
    """Microseconds since 1970-01-01 UTC of an aware time in the years 1 to 9999."""
    if not isinstance(value, datetime):
        raise InvalidValueError(f"{field} is {shown(value)} of type {type(value).__name__}; give an aware datetime")
    if value.utcoffset() is None:
        raise InvalidValueError(f"{field} is the naive time {value.isoformat()}; give an aware one (tzinfo=UTC)")
    try:
        return to_microseconds(value.astimezone(UTC))
    except OverflowError:
        raise InvalidValueError(f"{field} {value.isoformat()} lies outside the years 1 to 9999 in UTC") from None


def check_step(value: object, field: str) -> int:
    """A step from 0 to 2**63 - 1 (MET.5)."""
    if type(value) is not int:
        if isinstance(value, bool) or not hasattr(value, "__index__"):
            raise InvalidValueError(f"{field} is {shown(value)} of type {type(value).__name__}; give an int")
        try:
            value = operator.index(value)  # has __index__, as asked above
        except TypeError as error:  # an array of several numbers has the method and refuses
            raise InvalidValueError(f"{field} is {shown(value)}; give one int ({error})") from None
    if not 0 <= value <= MAX_STEP:
        raise InvalidValueError(f"{field} is {value}; steps run from 0 to 2**63 - 1")
    return value


def check_dataset_type(value: object, field: str) -> str:
    """The text of a dataset type: ``train``, ``validation``, ``test`` or ``other``."""
    found = DATASET_TYPES.get(value) if isinstance(value, str) else None
    if found is None:
        raise InvalidValueError(f"{field} is {shown(value)}; known: {', '.join(DATASET_TYPES)}")
    return found.value


def check_number(value: object, field: str) -> float:
    """The float64 value of a real Python, numpy or torch scalar (MET.4)."""
    if type(value) is float:
        return value
    if isinstance(value, (bool, str, bytes, complex)) or value is None:
        raise InvalidValueError(f"{field} is {shown(value)} of type {type(value).__name__}; give a real number")
    try:
        if isinstance(value, (float, int)):
            return float(value)
        item = getattr(value, "item", None)
        if callable(item):  # numpy and torch scalars; one with several elements raises
            plain = item()
            if type(plain) is not type(value):
                return check_number(plain, field)
        if hasattr(value, "__float__"):
            return float(value)  # has __float__, as asked above
    except InvalidValueError:
        raise
    except OverflowError:
        raise InvalidValueError(f"{field} is an integer too large for a float64; scale it") from None
    except Exception as error:  # a stranger's item() or __float__ may raise anything
        raise InvalidValueError(f"{field} is {shown(value)}, which gives no number: {error}") from error
    raise InvalidValueError(f"{field} is {shown(value)} of type {type(value).__name__}; give a real number")


def check_artifact_name(value: object, field: str = "name") -> str:
    """A relative POSIX path of 1-255 characters that stays inside its root (ART.3)."""
    name = check_name(value, field)
    if "\\" in name:
        raise InvalidValueError(f"{field} {shown(name)} holds a backslash; use '/' between the parts")
    if name.startswith("/"):
        raise InvalidValueError(f"{field} {shown(name)} is absolute; give a relative path")
    for part in name.split("/"):
        if part in {"", ".", ".."}:
            raise InvalidValueError(f"{field} {shown(name)} has the part {part!r}; use plain file and folder names")
    return str(PurePosixPath(name))


def check_flag(value: object, field: str) -> bool:
    """Yes or no: whatever Python takes for one of them."""
    try:
        return bool(value)
    except Exception as error:  # noqa: BLE001 - a stranger's __bool__ may raise anything; an array's does
        raise InvalidValueError(f"{field} is {shown(value)}; give True or False ({error})") from None


def check_terminal_status(value: object) -> RunStatus:
    """A status that ends a run (FIN.1)."""
    for status in TERMINAL_STATUSES:
        if isinstance(value, str) and value == status.value:
            return status
    known = ", ".join(sorted(TERMINAL_STATUSES))
    raise InvalidValueError(f"status is {shown(value)}, which does not end a run; use one of {known}")


def check_failure(error: BaseException | RunFailure | None) -> RunFailure | None:
    """The failure as texts that every database can keep (FIN.4).

    The reason for an end never stands in its way (FIN.8): odd characters in it are escaped, and of a text that is too
    long the middle is left out. Passwords of URLs are hidden (OPEN.6).
    """
    if error is None:
        return None
    if isinstance(error, RunFailure):
        failure = error
    elif isinstance(error, BaseException):
        failure = RunFailure.from_exception(error)
    else:
        raise InvalidValueError(f"error is {shown(error)} of type {type(error).__name__}; give an exception")
    return RunFailure(
        type=kept_text(str(failure.type), MAX_NAME_LENGTH),
        message=_redacted(failure.message),
        traceback=_redacted(failure.traceback),
    )


def _redacted(text: object) -> str:
    """Shortened first, for looking through megabytes takes long; and again, for what is hidden may become longer."""
    return kept_text(redact(kept_text(str(text), MAX_TEXT_LENGTH)), MAX_TEXT_LENGTH)


def check_limit(value: object) -> int:
    """A page size from 1 to 10,000."""
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_PAGE:
        raise InvalidValueError(f"limit is {shown(value)}; a page holds 1 to {MAX_PAGE} items")
    return value


def check_lease(value: object) -> float:
    """A lease in seconds: positive and finite."""
    lease_s = check_number(value, "lease_s")
    if not (lease_s > 0 and math.isfinite(lease_s)):
        raise InvalidValueError(f"lease_s is {lease_s}; give a positive, finite number of seconds")
    return lease_s


def shown(value: object) -> str:
    """A value as an error shows it: its repr, cut to one short line."""
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001 - a stranger's repr may raise anything, and an error must still be shown
        text = f"<{type(value).__name__}>"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(text)} characters)"
