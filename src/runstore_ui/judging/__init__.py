"""What the page of an evaluation shows: predictions read once, judged once for each choice of cases, told as texts."""

from runstore_ui.judging.judged import Choice, Judged, judge
from runstore_ui.judging.sheet import Sheet, sheet_of
from runstore_ui.judging.shelf import MOST_ROWS, Shelf

__all__ = ["MOST_ROWS", "Choice", "Judged", "Sheet", "Shelf", "judge", "sheet_of"]
