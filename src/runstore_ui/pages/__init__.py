"""Templates: they show values and decide nothing. All text is escaped; names come from strangers."""

from functools import cache
from http import HTTPStatus
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from runstore.secrets import redact
from runstore_ui.assets import address_of
from runstore_ui.security import nonce_of
from runstore_ui.site import may_write, site_of


def render(request: Request, name: str, /, *, status: HTTPStatus = HTTPStatus.OK, **values: Any) -> HTMLResponse:
    """The page of a template.

    Args:
        request: what is answered; it says who asks and which nonce scripts need.
        name: of the template.
        status: of the answer.
        values: what the template shows.
    """
    text = (
        _templates(is_saved=False)
        .get_template(name)
        .render(
            nonce=nonce_of(request),
            shown_url=site_of(request).options.shown_url,
            may_write=may_write(request),
            **values,
        )
    )
    return HTMLResponse(text, status)


def saved(name: str, /, **values: Any) -> str:
    """The page of a template as a file of its own: it has no links, no forms and no scripts of the page.

    Args:
        name: of the template.
        values: what the template shows.
    """
    return _templates(is_saved=True).get_template(name).render(may_write=False, **values)


def _shown(text: str, most: int | None = None) -> str:
    """What somebody wrote, without passwords; of a long one the beginning."""
    found = redact(text)
    return found if most is None or len(found) <= most else f"{found[:most]}…"


@cache
def _templates(*, is_saved: bool) -> Environment:
    made = Environment(
        loader=PackageLoader("runstore_ui", "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.globals |= {
        "asset": address_of,
        "saved": is_saved,
        "layout": "saved.html" if is_saved else "base.html",
        "most_tags": 12,
    }
    made.filters["shown"] = _shown
    return made
