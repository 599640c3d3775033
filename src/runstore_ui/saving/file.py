"""The frame of a file: its styles and its script stand in it, and its policy allows nothing else."""

import hashlib
from base64 import b64encode
from importlib.metadata import version
from typing import Any, Final

from runstore_ui.assets import find_asset
from runstore_ui.pages import saved

_STYLES: Final = ("page.css", "run.css", "figures.css", "bars.css", "saved.css")


def file_of(template: str, **values: Any) -> str:
    """The file of a template, whole."""
    style, script = "".join(map(_text, _STYLES)), _text("saved.js")
    policy = "; ".join(
        [
            "default-src 'none'",
            f"script-src {_digest(script)}",
            f"style-src {_digest(style)}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )
    return saved(
        template, style=style, script=script, policy=policy, made_by=f"runstore {version('runstore')}", **values
    )


def _text(name: str) -> str:
    asset = find_asset(name)
    return "" if asset is None else asset.content.decode()


def _digest(content: str) -> str:
    return f"'sha256-{b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"
