"""Several runs side by side as a file."""

from typing import Final

import msgspec

from runstore.protocol import RunReader
from runstore_ui.saving.drawing import draw
from runstore_ui.saving.file import file_of
from runstore_ui.state import CompareState
from runstore_ui.views.compare import values_of

_MOST_SETTINGS: Final = 2_000


def saved_comparison(reader: RunReader, state: CompareState) -> str:
    """The comparison, with its charts, as HTML.

    Raises:
        InvalidValueError: more runs than fit side by side.
        RunNotFoundError: one of them is not there.
    """
    values = values_of(reader, msgspec.structs.replace(state, shows_equal=True), most_settings=_MOST_SETTINGS)
    values |= {
        "state": state,
        "settings": [line for line in values["settings"] if line.differs],
        "same": [line for line in values["settings"] if not line.differs],
    }
    return file_of("saved_compare.html", **values, drawn=draw(reader, values["groups"], values["chosen"]))
