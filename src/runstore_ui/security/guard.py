"""What stands before all views: the host's name, the token, where a change comes from, and the headers of answers."""

from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runstore_ui.security.headers import give_nonce, lasting
from runstore_ui.security.hosts import is_allowed, name_in
from runstore_ui.security.refusals import of_host, of_origin, of_stranger, of_token
from runstore_ui.security.tokens import Grade, cookie_name, grade_of, taken_from
from runstore_ui.site import Options

_SAFE: Final = ("GET", "HEAD")


class Guard:
    """An ASGI app before another one."""

    def __init__(self, app: ASGIApp, options: Options) -> None:
        """Lets through to ``app`` what ``options`` allow."""
        self._app = app
        self._options = options
        self._cookie = cookie_name(options)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request, or hands it on."""
        if scope["type"] != "http":  # there is nothing else to ask this page
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008})
            else:
                await self._app(scope, receive, send)
            return
        headers = lasting(give_nonce(scope), self._options.framed_by)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = MutableHeaders(scope=message)
                for name, value in headers.items():
                    given.setdefault(name, value)
            await send(message)

        await (self._refusal(Request(scope)) or self._app)(scope, receive, send_with_headers)

    def _refusal(self, request: Request) -> Response | None:
        """What is answered instead of a view; ``None`` where the view may answer."""
        host = request.headers.get("host", "")
        if not is_allowed(host, self._options.hosts, by_number=self._options.token is not None):
            return _refused(of_host(name_in(host)))
        if not _is_looked_at(request):
            return _refused(of_stranger())
        shown, others = taken_from(request.url.query)
        if shown is not None:
            here = f"./{request.url.path.rpartition('/')[2]}"  # with the dot a name such as https:x stays a name
            return self._entered(shown, f"{here}?{others}" if others else here)
        grade = grade_of(request.cookies.get(self._cookie), self._options)
        if grade is Grade.NOTHING:
            return _refused(of_token())
        request.scope["runstore.may_write"] = grade is Grade.WRITE
        if request.method not in _SAFE and (grade is not Grade.WRITE or not _is_from_here(request)):
            return _refused(of_origin())
        return None

    def _entered(self, shown: str, address: str) -> Response:
        """The same address without the token, which stays in a cookie: an address is shown, sent and kept."""
        if self._options.token is None and self._options.write_token is None:
            return RedirectResponse(address, HTTPStatus.SEE_OTHER)
        if grade_of(shown, self._options) is Grade.NOTHING or shown not in {
            self._options.token,
            self._options.write_token,
        }:
            return _refused(of_token())
        answer = RedirectResponse(address, HTTPStatus.SEE_OTHER)
        # For this session of the browser and below this path: a token ends with its page, and a browser sends what it keeps
        # for a machine to all that is served there. Cookies of yesterday's pages would crowd out those of others.
        answer.set_cookie(self._cookie, shown, path=None, httponly=True, samesite="lax")
        return answer


def _refused(page: str) -> HTMLResponse:
    return HTMLResponse(page, HTTPStatus.FORBIDDEN)


def _is_looked_at(request: Request) -> bool:
    """Whether a person looks at the answer, or this page asked for it.

    Scripts, pictures and styles of a stranger's page could not read it, but they could tell by how long it took or whether
    there is one what is in the store, and keep the database busy. A program that is no browser says nothing of it.
    """
    if request.headers.get("sec-fetch-site", "none") in {"none", "same-origin"}:
        return True
    fetched = request.headers.get("sec-fetch-mode"), request.headers.get("sec-fetch-dest")
    return fetched in {("navigate", "document"), ("navigate", "iframe"), ("navigate", "frame")}


def _is_from_here(request: Request) -> bool:
    """Whether a change was asked for by this page itself; a program that is no browser says nothing of it."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")
