"""Pictures that stand in a file. Only what a browser draws without running it is taken in: no SVG, no markup."""

from base64 import b64encode
from collections.abc import Iterable
from typing import Final

from runstore.errors import RunStoreError
from runstore.model import Artifact
from runstore.protocol import RunReader
from runstore.texts import size_text
from runstore_ui.artifact import PICTURES, ending_of, is_picture

MOST_OF_ONE: Final = 500_000
MOST_OF_ALL: Final = 5_000_000
"""Bytes: a file is to be sent by mail."""


def pictures_of(reader: RunReader, artifacts: Iterable[Artifact]) -> tuple[dict[str, str], list[str]]:
    """The pictures that have room, by name, as ``data:`` URLs, in the order of their names; and what is left out."""
    found: dict[str, str] = {}
    remarks = []
    left, too_many = MOST_OF_ALL, 0
    for each in artifacts:
        if not is_picture(each):
            continue
        size = each.size or 0
        if size > min(MOST_OF_ONE, left):
            too_many += 1
            continue
        try:
            with reader.open_artifact(each.run_id, each.name) as file:
                content = file.read()
        except RunStoreError as error:
            if error.is_transient:
                raise
            remarks.append(f"The picture {each.name} cannot be shown: {error}")
            continue
        left -= size
        found[each.name] = f"data:{PICTURES[ending_of(each.name)]};base64,{b64encode(content).decode()}"
    if too_many:
        remarks.append(
            f"{too_many:,} picture{' is' if too_many == 1 else 's are'} listed and not shown: a file holds pictures of up to "
            f"{size_text(MOST_OF_ONE)}, {size_text(MOST_OF_ALL)} together."
        )
    return found, remarks
