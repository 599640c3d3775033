"""What the header of a DICOM file says of whom it shows, without its pixels. Needs pydicom; without it, headers say nothing."""

import re
from collections.abc import Mapping
from pathlib import Path

ENDINGS = frozenset({".dcm", ".dicom"})
"""Only files that are called so are asked."""

KEYWORDS = ("PatientID", "PatientSex", "PatientAge", "ViewPosition")
"""The elements that are read, by their names in the standard."""

_MARK = slice(128, 132)
_NOBODY = re.compile(r"[0x*_\W]*|anon\w*|unknown|none|null|n/?a|de-?identified|removed", re.IGNORECASE)
"""What is written in the place of an id that was taken away."""


def read_header(path: Path) -> Mapping[str, str]:
    """The elements of a file that have a value, as text; none of a file that is no DICOM or cannot be read.

    An id that only says that there was one, as ``ANONYMOUS``, is left out.
    """
    try:
        import pydicom  # noqa: PLC0415 - an extra
    except ModuleNotFoundError:
        return {}
    try:
        with path.open("rb") as file:
            is_marked = file.read(_MARK.stop)[_MARK] == b"DICM"
            file.seek(0)
            header = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=list(KEYWORDS), force=not is_marked)
            found = {keyword: str(header.get(keyword) or "").strip() for keyword in KEYWORDS}
    except Exception:  # noqa: BLE001 - what is wrong with a file is told when it is decoded
        return {}
    if _NOBODY.fullmatch(found["PatientID"]):
        del found["PatientID"]
    return {keyword: value for keyword, value in found.items() if value}
