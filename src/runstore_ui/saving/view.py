"""What somebody asks for by name, as a file."""

from collections.abc import Sequence

from runstore.protocol import RunReader
from runstore_ui.saving.comparison import saved_comparison
from runstore_ui.saving.run import saved_run
from runstore_ui.saving.table import saved_table
from runstore_ui.state import NEWEST_FIRST, CompareState, TableState
from runstore_ui.table import field_of


def saved_view(  # noqa: PLR0913 - which runs, and what is shown of them
    reader: RunReader,
    runs: Sequence[str] = (),
    *,
    experiment: str | None = None,
    where: str | None = None,
    order: str | None = None,
    columns: Sequence[str] = (),
) -> str:
    """One HTML file: of one run its page, of several a comparison, of none a table.

    Args:
        reader: the store.
        runs: their ids.
        experiment: of a table: the name of the one that it shows; by default all.
        where: of a table: a filter.
        order: of a table: the field that sorts it, with ``asc`` or ``desc``; the newest run first by default.
        columns: of a table: fields of the filter language; by default those that fit the runs.

    Raises:
        RunNotFoundError, ExperimentNotFoundError: there is none of that id or name.
        QueryError: the filter, the order or a column cannot be understood.
        InvalidValueError: more runs than fit side by side.
    """
    if len(runs) == 1:
        return saved_run(reader, runs[0])
    if runs:
        return saved_comparison(reader, CompareState(runs=tuple(runs)))
    for each in columns:
        field_of(each)
    return saved_table(
        reader,
        TableState(
            experiment=experiment, where=(where or "").strip(), order=order or NEWEST_FIRST, columns=tuple(columns)
        ),
    )
