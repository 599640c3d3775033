"""For mkdocs: the roles in docstrings (``:class:`RunStore` ``) become links, which mkdocstrings leaves as they are."""

import re
from typing import Any

_ROLE = re.compile(r":(?:attr|class|data|exc|func|meth|mod|obj):<code>(~?)([\w.]+)</code>")


def on_page_content(html: str, **_: Any) -> str:
    """Each role as code, which leads to the heading of that name where the page has one."""
    headings = set(re.findall(r'\bid="([\w.]+)"', html))

    def linked(found: re.Match[str]) -> str:
        is_short, name = found.groups()
        shown = f"<code>{name.rpartition('.')[2] if is_short else name}</code>"
        target = next((each for each in sorted(headings) if each == name or each.endswith(f".{name}")), None)
        return shown if target is None else f'<a href="#{target}">{shown}</a>'

    return _ROLE.sub(linked, html)
