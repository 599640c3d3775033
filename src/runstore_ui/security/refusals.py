"""The short pages of who is not answered. They say which option to set, and bring nothing with them."""

from html import escape

from runstore_ui.security.hosts import is_name

_LONGEST = 253


def of_host(name: str) -> str:
    """For a name that is not allowed. It comes from a stranger: only one that is harmless stands in a command to be copied."""
    known = name if is_name(name) else ""
    return _page(
        "This name is not allowed",
        f"The page was asked for as <code>{escape(name[:_LONGEST]) or 'nothing'}</code>. It answers to the names of this machine alone"
        " (<code>localhost</code>, <code>127.0.0.1</code>), so that no page of a stranger can read it.",
        f"If the name is yours, start it with <code>runstore ui --allow-host {known or 'NAME'}</code>.",
    )


def of_stranger() -> str:
    """For what another site's page asks for behind its reader's back."""
    return _page(
        "Asked for by another page",
        "Other sites may link to this page, and neither embed it nor load parts of it.",
        "Open the address itself.",
    )


def of_token() -> str:
    """For who has shown no token, or another one."""
    return _page(
        "A token is needed",
        "This page is open to who has its token.",
        "Open the whole address that <code>runstore ui</code> has printed; it ends with <code>?token=…</code>.",
    )


def of_origin() -> str:
    """For a change by who may not change anything, or from another page."""
    return _page(
        "Nothing was changed",
        "Runs are changed from this page only, by who has the token for it.",
        "Start it with <code>runstore ui --write</code> and open the whole address that it prints.",
    )


def _page(title: str, *paragraphs: str) -> str:
    said = "".join(f"<p>{each}</p>" for each in paragraphs)
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f'<meta name="color-scheme" content="light dark"><title>{title} · runstore</title><main><h1>{title}</h1>{said}</main></html>'
    )
