"""The page beside the others' pages: the same runs, served by each tool's own server, looked at in Chromium.

`contents` says what is in the stores, `filling` stores it, `shown` starts the servers and knows where each page has what,
`looking` clocks what is seen, and `measuring` has all of them do the same in turn.
"""

from benchmarks.pages.contents import Sizes
from benchmarks.pages.measuring import Measuring, prepare

__all__ = ["Measuring", "Sizes", "prepare"]
