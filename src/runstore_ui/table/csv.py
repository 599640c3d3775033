"""The table as CSV: all runs that match, with all digits, page by page."""

import csv
import io
import itertools
from collections.abc import Generator, Sequence
from datetime import UTC, datetime
from typing import Final

from runstore.protocol import RunReader
from runstore.query import ConfigKey, Metric
from runstore_ui.state import TableState
from runstore_ui.table.columns import Column, Facts, Value, settings_of, value_of
from runstore_ui.table.runs import experiment_of

_AT_ONCE: Final = 500


def csv_lines(reader: RunReader, state: TableState, columns: Sequence[Column]) -> Generator[str]:
    """Lines of a CSV file: the fields' names, then a line a run. NaN and infinities are ``nan``, ``inf`` and ``-inf``.

    Raises:
        QueryError: the filter or the order cannot be understood; before the first line.
        ExperimentNotFoundError: there is no such experiment; before the first line.
    """
    wants_settings = any(isinstance(column.field, ConfigKey) for column in columns)
    wants_metrics = any(isinstance(column.field, Metric) for column in columns)
    names: dict[str, str] = {}
    runs = reader.iter_runs(state.where or None, experiment_id=experiment_of(reader, state), order_by=(state.order,))
    page = list(itertools.islice(runs, _AT_ONCE))
    yield _line(["id", *(column.text for column in columns)])
    while page:
        ids = [run.id for run in page]
        configs = reader.get_configs(ids) if wants_settings else {}
        summaries = reader.get_summaries_of(ids) if wants_metrics else {}
        for run in page:
            if run.experiment_id not in names:
                names[run.experiment_id] = reader.get_experiment(run.experiment_id).name
            facts = Facts(
                run=run,
                experiment=names[run.experiment_id],
                summaries={(each.name, str(each.dataset_type)): each for each in summaries.get(run.id, ())},
                settings=settings_of(configs.get(run.id, {})),
            )
            yield _line([run.id, *(_plain(value_of(column, facts)) for column in columns)])
        page = list(itertools.islice(runs, _AT_ONCE))


def _plain(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return repr(value) if isinstance(value, float) else str(value)


def _line(values: Sequence[str]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerow(values)
    return text.getvalue()
