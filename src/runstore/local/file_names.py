"""Which names a file cannot have on Windows, where artifacts of any name are written out."""

import re
from typing import Final

_DEVICES: Final = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])", re.IGNORECASE)
_NEVER: Final = re.compile(r'[<>:"|?*\x00-\x1f]')
"""Of these a colon is the worst: what is written to ``a:b`` goes to a hidden part of the file ``a``."""


def what_windows_minds(part: str) -> str | None:
    """Why Windows cannot keep a file or folder under a name; ``None`` if it can.

    https://learn.microsoft.com/windows/win32/fileio/naming-a-file
    """
    if _DEVICES.fullmatch(part.partition(".")[0].rstrip(" ")):
        return "is the name of a device"
    if (found := _NEVER.search(part)) is not None:
        return f"holds {found.group()!r}"
    if part.endswith((".", " ")) and part not in {".", ".."}:
        return f"ends with {part[-1]!r}"
    return None
