"""The rounds of a federation as the page shows them: each read once, told as texts and figures."""

from runstore_ui.rounds.kept import KeptRounds
from runstore_ui.rounds.sheet import AT_ONCE, RoundsSheet, rounds_sheet

__all__ = ["AT_ONCE", "KeptRounds", "RoundsSheet", "rounds_sheet"]
