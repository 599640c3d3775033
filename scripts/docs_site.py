"""For mkdocs: pages that lie beside `docs/`, and the roles in docstrings (``:class:`RunStore` ``) as links."""

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

_ROOT = Path(__file__).resolve().parent.parent
_REPOSITORY = "https://github.com/runstore/runstore/blob/main"
_BESIDE = ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
_LINK = re.compile(r"\]\((?!\w+:|#)([^)]+)\)")
_ROLE = re.compile(r":(?:attr|class|data|exc|func|meth|mod|obj):<code>(~?)([\w.]+)</code>")


def on_files(files: Files, config: Any, **_: Any) -> Files:
    """The files, with those of the root that readers look for; their links lead to the same as from the root."""
    for name in _BESIDE:
        text = _LINK.sub(_relinked, (_ROOT / name).read_text(encoding="utf-8"))
        files.append(File.generated(config, name.lower(), content=text))
    return files


def _relinked(found: re.Match[str]) -> str:
    target = found[1]
    if target.partition("#")[0] in _BESIDE:
        return f"]({target.lower()})"
    inside = target.removeprefix("docs/")
    return f"]({inside})" if inside != target else f"]({_REPOSITORY}/{target})"


def on_page_content(html: str, **_: Any) -> str:
    """Each role as code, which leads to the heading of that name where the page has one."""
    headings = set(re.findall(r'\bid="([\w.]+)"', html))

    def linked(found: re.Match[str]) -> str:
        is_short, name = found.groups()
        shown = f"<code>{name.rpartition('.')[2] if is_short else name}</code>"
        target = next((each for each in sorted(headings) if each == name or each.endswith(f".{name}")), None)
        return shown if target is None else f'<a href="#{target}">{shown}</a>'

    return _ROLE.sub(linked, html)
