"""Tokens: what a browser shows once in the address, and in a cookie from then on."""

import hashlib
import hmac
from enum import IntEnum
from urllib.parse import parse_qsl, urlencode

from runstore_ui.site import Options

PARAMETER = "token"


class Grade(IntEnum):
    """What who asks may do."""

    NOTHING = 0
    LOOK = 1
    WRITE = 2


def grade_of(shown: str | None, options: Options) -> Grade:
    """What a token allows; none allows to look where the page asks for none."""
    if shown is not None and options.write_token is not None and _same(shown, options.write_token):
        return Grade.WRITE
    if options.token is None or (shown is not None and _same(shown, options.token)):
        return Grade.LOOK
    return Grade.NOTHING


def cookie_name(options: Options) -> str:
    """The cookie's name: a browser sends cookies of a machine to all of its ports, so each page has its own."""
    of = f"{options.token}/{options.write_token}".encode()
    return f"runstore-{hashlib.sha256(of).hexdigest()[:12]}"


def taken_from(query: str) -> tuple[str | None, str]:
    """The token in a query, and the query without it."""
    pairs = parse_qsl(query, keep_blank_values=True)
    shown = next((value for key, value in pairs if key == PARAMETER), None)
    return shown, urlencode([pair for pair in pairs if pair[0] != PARAMETER])


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())
