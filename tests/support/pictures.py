"""Pictures of the page in the documentation: made by tests, and so never older than what they show.

``RUNSTORE_TEST_PICTURES=renew`` puts those of today into ``docs/pictures``.
"""

import os
import struct
from pathlib import Path
from typing import Any

PICTURES = Path(__file__).resolve().parents[2] / "docs" / "pictures"


def take(page: Any, name: str, folder: Path) -> None:
    """Takes a picture; the one in the documentation must be as large."""
    taken = folder / name
    page.screenshot(path=taken, animations="disabled")
    if os.environ.get("RUNSTORE_TEST_PICTURES") == "renew":
        (PICTURES / name).write_bytes(taken.read_bytes())
    assert size(taken) == size(PICTURES / name), "RUNSTORE_TEST_PICTURES=renew makes the pictures anew"


def size(picture: Path) -> tuple[int, ...]:
    """Width and height of a PNG."""
    return struct.unpack(">II", picture.read_bytes()[16:24])
