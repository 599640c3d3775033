"""What a browser may do with an answer: run and fetch nothing but what this page brings."""

import secrets
from collections.abc import Sequence

from starlette.requests import Request
from starlette.types import Scope

_NONCE = "runstore.nonce"
_BYTES = 16


def give_nonce(scope: Scope) -> str:
    """A new nonce, kept with the request; scripts of the answer must carry it."""
    nonce = secrets.token_urlsafe(_BYTES)
    scope[_NONCE] = nonce
    return nonce


def nonce_of(request: Request) -> str:
    """The nonce that scripts and htmx's attributes of the answer carry."""
    nonce: str = request.scope[_NONCE]
    return nonce


def policy(nonce: str, framed_by: Sequence[str]) -> str:
    """The content security policy: nothing is allowed but the page's own scripts, styles, pictures and requests.

    Scripts cannot write markup either, but for htmx, whose one policy for that is named.
    """
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src 'nonce-{nonce}'",
            "style-src 'self'",
            "img-src 'self' data:",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            f"frame-ancestors {' '.join(framed_by) or chr(39) + 'none' + chr(39)}",
            "require-trusted-types-for 'script'",
            "trusted-types htmx",
        ]
    )


def lasting(nonce: str, framed_by: Sequence[str]) -> dict[str, str]:
    """The headers that every answer has, unless it says otherwise itself."""
    return {
        "Content-Security-Policy": policy(nonce, framed_by),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
