"""Views as one file each, to be sent to somebody or put beside a paper: it opens from a disk, loads nothing and needs no script.

The same runs give the same bytes: no file says when, from which store or by whose command it was made.
"""

from runstore_ui.saving.comparison import saved_comparison
from runstore_ui.saving.run import saved_run
from runstore_ui.saving.table import saved_table
from runstore_ui.saving.view import saved_view

__all__ = ["saved_comparison", "saved_run", "saved_table", "saved_view"]
