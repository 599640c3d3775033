"""The deleted runs that can be restored, as ``runstore runs --deleted`` lists them."""

from runstore.cli.finding import find_experiment
from runstore.cli.options import Form
from runstore.cli.output.programs import print_csv, print_json
from runstore.cli.output.tables import Column, print_table
from runstore.cli.output.text import print_line
from runstore.cli.paging import Extent
from runstore.errors import ExperimentNotFoundError
from runstore.opening.stores import open_reader
from runstore.protocol import RunReader
from runstore.texts import time_text, time_zone
from runstore.values.ids import experiment_id_of

_TITLES = ("id", "name", "experiment_id", "experiment", "start_time", "deleted_at")


def print_deleted(store: str | None, *, experiment: str | None, extent: Extent, form: Form) -> None:
    """The last deleted first."""
    with open_reader(store) as reader:
        experiment_id = None if experiment is None else _maybe_deleted(reader, experiment)
        runs, more = extent.read(
            form, lambda size, cursor: reader.list_deleted(experiment_id=experiment_id, limit=size, cursor=cursor)
        )
    if form is Form.JSON:
        print_json(runs)
    elif form is Form.CSV:
        print_csv(_TITLES, [[getattr(run, title) for title in _TITLES] for run in runs])
    elif not runs:
        print_line("There are no deleted runs that can be restored.")
    else:
        print_table(
            [
                Column("run"),
                Column("name", may_be_cut=True, goes=1),
                Column("experiment", may_be_cut=True, goes=2),
                Column(f"started\n({time_zone()})", goes=3, cuts_others=True),
                Column(f"deleted\n({time_zone()})", cuts_others=True),
            ],
            [
                [
                    run.id,
                    run.name or "",
                    run.experiment,
                    time_text(run.start_time, to_seconds=False),
                    time_text(run.deleted_at, to_seconds=False),
                ]
                for run in runs
            ],
        )
        print_line("`runstore restore RUN` brings one back.", err=True)
    extent.say_more("runs", len(runs), more)


def _maybe_deleted(reader: RunReader, experiment: str) -> str:
    """The id of an experiment, which may be deleted: its id is made of its name."""
    try:
        return find_experiment(reader, experiment).id
    except ExperimentNotFoundError:
        for experiment_id in (experiment_id_of(experiment), experiment):
            if reader.list_deleted(experiment_id=experiment_id, limit=1).items:
                return experiment_id
        raise
