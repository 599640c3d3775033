"""``change``: what the forms of the page post; ``deleted``: the runs that can be brought back."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from runstore.errors import InvalidValueError, ReadOnlyError
from runstore_ui.changing import Refused, change, conflict_of
from runstore_ui.pages import render
from runstore_ui.site import site_of
from runstore_ui.state import AxisState, TableState, link

_MOST_BYTES: Final = 1_000_000
_MOST_FIELDS: Final = 20_000
_AT_ONCE: Final = 100


async def make(request: Request) -> Response:
    """Makes the change, and leads back to the view that asked for it. To delete is asked about first.

    The form's fields: ``do`` names the change, ``run`` each run, ``text`` what goes with it, ``sure`` that it was asked about,
    and ``back`` is ``run`` or ``deleted`` for these views instead of the table. What is edited in place (``in_place``) says with
    ``seen`` what stood there before; a change that somebody else has made meanwhile is told, and not undone.
    """
    body = (await _body(request)).decode("utf-8", "replace")
    try:
        fields = parse_qs(body, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise InvalidValueError(f"the form has more than {_MOST_FIELDS:,} fields; change fewer runs at once") from None
    return await run_in_threadpool(_made, request, fields)


def show_deleted(request: Request) -> Response:
    """The deleted runs, the last deleted first."""
    reader = site_of(request).reader
    page = reader.list_deleted(limit=_AT_ONCE, cursor=request.query_params.get("cursor") or None)
    following = link("deleted", [("cursor", page.next_cursor)]) if page.next_cursor else None
    return render(request, "deleted.html", runs=page.items, following=following)


def _made(request: Request, fields: Mapping[str, Sequence[str]]) -> Response:
    site, what, runs = site_of(request), _first(fields, "do"), fields.get("run", ())
    table = TableState.of(request.query_params)
    if site.open_editor is None:
        raise ReadOnlyError("this page only shows runs; start it with `runstore ui --write` to change them")
    if what == "delete" and runs and not _first(fields, "sure"):
        names = [site.reader.get_run(run_id).name or run_id for run_id in runs]
        return render(
            request, "sure.html", runs=list(zip(runs, names, strict=True)), here=f"change?{request.url.query}"
        )
    text = _first(fields, f"{what}_text") or _first(fields, "text")
    if _first(fields, "in_place") and len(runs) == 1:
        refused = conflict_of(site.reader.get_run(runs[0]), what, text, fields.get("seen", ()))
        if refused is not None:
            return _refusal(request, runs[0], refused, HTTPStatus.CONFLICT)
        try:
            change(site.open_editor(), what, runs, text)
        except InvalidValueError as error:
            refused = Refused(what=what, message=str(error), mine=text)
            return _refusal(request, runs[0], refused, HTTPStatus.BAD_REQUEST)
    else:
        change(site.open_editor(), what, runs, text)
    back = _first(fields, "back")
    if back == "run" and what != "delete":
        return RedirectResponse(_run_link(request, runs[0]), HTTPStatus.SEE_OTHER)
    if back == "deleted":
        return RedirectResponse("deleted", HTTPStatus.SEE_OTHER)
    return RedirectResponse(table.link(chosen=()), HTTPStatus.SEE_OTHER)


def _refusal(request: Request, run_id: str, refused: Refused, status: HTTPStatus) -> Response:
    return render(
        request,
        "refused.html",
        status=status,
        run=site_of(request).reader.get_run(run_id),
        here=f"change?{request.url.query}",
        run_link=_run_link(request, run_id),
        refused=refused,
    )


def _run_link(request: Request, run_id: str) -> str:
    return link("run", [("id", run_id), *AxisState.of(request.query_params).pairs()])


def _first(fields: Mapping[str, Sequence[str]], name: str) -> str:
    return next(iter(fields.get(name, ())), "")


async def _body(request: Request) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MOST_BYTES:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    return body
