"""``runstore show``: one run."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import click
import msgspec

from runstore.cli.columns import config_texts
from runstore.cli.files import print_artifacts, print_series_of_files
from runstore.cli.finding import find_run
from runstore.cli.options import Form, examples, json_option, store_option
from runstore.cli.output.programs import print_json
from runstore.cli.output.tables import Column, print_facts, print_table
from runstore.cli.output.text import first_line, print_line, without_colours
from runstore.cli.paging import Extent
from runstore.cli.recorders import recorder_table, recorder_values
from runstore.cli.watching import watch
from runstore.health import split_reports
from runstore.media.reading import group_series
from runstore.model import Run, RunFailure, RunStatus, SeriesSummary, StepValue
from runstore.opening.stores import open_reader
from runstore.protocol import RunReader
from runstore.query.spelling import spelt_literal
from runstore.texts import best_of, best_point, duration_text, number_text, span_text, time_text, time_zone

_MOST_CHILDREN = 10
_MOST_VALUES = 12
"""Of a config, without ``--config``: what a person came for must not scroll away."""


@click.command("show", epilog=examples("runstore show @1", "runstore show 0197f3c2 --config"))
@click.argument("run")
@store_option
@click.option("--config", "with_config", is_flag=True, help="The whole configuration, as JSON.")
@click.option("--traceback", "with_traceback", is_flag=True, help="All that is kept of why the run failed.")
@click.option("--watch", "is_watched", is_flag=True, help="Show it again whenever it changes, until Ctrl-C.")
@json_option
def command(  # noqa: PLR0913 - an option each
    run: str, *, store: str | None, with_config: bool, with_traceback: bool, is_watched: bool, as_json: bool
) -> None:
    """Show one run: how it stands, its metrics, configuration and artifacts.

    RUN is its id, the beginning or the end of it, its name, or @1 for the newest.
    """
    if is_watched and as_json:
        raise click.UsageError("--watch and --json exclude each other")
    with open_reader(store) as reader:
        run_id = find_run(reader, run).id
        if as_json:
            _print_json(reader, run_id)
        elif is_watched:
            watch(lambda: _print_run(reader, run_id, with_config=with_config, with_traceback=with_traceback))
        else:
            _print_run(reader, run_id, with_config=with_config, with_traceback=with_traceback)


def _print_json(reader: RunReader, run_id: str) -> None:
    run, artifacts = reader.get_run(run_id), reader.list_artifacts(run_id)
    reports, _ = split_reports(run_id, artifacts)
    children, _ = Extent().read(Form.JSON, lambda size, cursor: reader.list_children(run_id, limit=size, cursor=cursor))
    print_json(
        msgspec.to_builtins(run)
        | {"experiment": reader.get_experiment(run.experiment_id).name, "config": reader.get_config(run_id)}
        | {"summaries": reader.get_summaries(run_id), "artifacts": artifacts}
        | {"health": recorder_values(reports), "children": [child.id for child in children]}
    )


def _print_run(reader: RunReader, run_id: str, *, with_config: bool, with_traceback: bool) -> None:
    """Everything about one run but the histories; the configuration and the traceback in short unless asked for."""
    run, config = reader.get_run(run_id), reader.get_config(run_id)
    reports, others = split_reports(run_id, reader.list_artifacts(run_id))
    series, files = group_series(reader, others)
    experiment = reader.get_experiment(run.experiment_id).name
    _print_section("", [["run", run.id], *_facts(run, experiment), *_ending(run.failure)])
    if with_traceback:
        _print_traceback(run.failure)
    if not with_config:
        _print_short_config(config)
    _print_series(reader.get_summaries(run_id))
    _print_children(reader, run_id)
    print_series_of_files(series)
    print_artifacts(files)
    _print_section("provenance", _provenance(run.provenance))
    if reports:
        print_line("")
        head, rows = recorder_table(reports)
        print_facts([head, *rows])
    if with_config:
        _print_whole_config(config)


def _facts(run: Run, experiment: str) -> list[list[str]]:
    facts = [
        ["experiment", experiment],
        ["name", run.name or ""],
        ["status", run.status.value],
        ["mode", run.training_mode],
        ["attempt", str(run.attempt)],
        ["parent run", run.parent_run_id or ""],
        ["client", run.client_id or ""],
        ["started", f"{time_text(run.start_time)} {time_zone()}"],
        ["ended", f"{time_text(run.end_time)} {time_zone()}" if run.end_time else ""],
        *_signs(run),
        ["took", duration_text(run)],
        ["source", run.source_path or ""],
        ["note", run.note or ""],
        ["archived", f"{time_text(run.archived_at)} {time_zone()}" if run.archived_at else ""],
        *[[f"tag {key}", value] for key, value in run.tags.items()],
    ]
    return [fact for fact in facts if fact[1]]


def _signs(run: Run) -> list[list[str]]:
    """Of a run that has not ended, when its last heartbeat came, and when it counts as lost."""
    ago = span_text(max(datetime.now(UTC) - run.heartbeat_at, timedelta()))
    at = f"{time_text(run.heartbeat_at)} {time_zone()}, {ago} ago"
    if run.status == RunStatus.LOST:
        return [["last sign", at]]
    if run.status.is_final:
        return []
    return [["heartbeat", f"{at} (lost after {span_text(timedelta(seconds=run.lease_s))} without one)"]]


def _ending(failure: RunFailure | None) -> list[list[str]]:
    """Why a run failed, in a line: the first one, as the training said itself when it ended."""
    if failure is None:
        return []
    said = first_line(failure.message)
    more = " (--traceback shows all of it)" if failure.traceback or said != failure.message.strip() else ""
    return [["ended by", f"{failure.type}: {said}{more}"]]


def _print_traceback(failure: RunFailure | None) -> None:
    if failure is None:
        print_line("\nThe run has no traceback: it did not fail.")
        return
    print_line("")
    print_line("traceback", bold=True)
    print_line(without_colours(failure.traceback or f"{failure.type}: {failure.message}").rstrip())


def _provenance(found: Mapping[str, Any]) -> list[list[str]]:
    """Where a run came from, a line for each part; what this command does not know by name comes last."""
    rest = {key: value for key, value in found.items() if key not in {"host", "process", "versions", "git", "seed"}}
    host, process, versions, git = (_mapping(found.get(key)) for key in ("host", "process", "versions", "git"))
    facts = [
        ["host", _joined(host.get("name"), host.get("platform"))],
        ["command", " ".join(map(str, process.get("argv") or ()))],
        ["folder", str(process.get("directory") or "")],
        ["process", str(process.get("pid") or "")],
        ["versions", ", ".join(f"{name} {version}" for name, version in versions.items())],
        [
            "commit",
            f"{git.get('commit')}{' and changes that were not committed' if git.get('dirty') else ''}" if git else "",
        ],
        ["seed", str(found.get("seed", ""))],
        *([key, value] for key, value in config_texts(rest).items()),
    ]
    return [fact for fact in facts if fact[1]]


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _joined(*parts: Any) -> str:
    return ", ".join(str(part) for part in parts if part)


def _print_series(summaries: Sequence[SeriesSummary]) -> None:
    """A line for each metric; how many values are not finite only where some are."""
    if not summaries:
        return
    are_finite = not any(item.non_finite_count for item in summaries)
    columns = [
        Column("metric", may_be_cut=True),
        Column("dataset"),
        Column("points", goes=3, is_number=True),
        Column("last", is_number=True),
        Column("best", is_number=True),
        Column("min", goes=1, is_number=True),
        Column("max", goes=2, is_number=True),
        Column("non-finite", goes=4, is_number=True),
    ]
    rows = [
        [
            item.name,
            item.dataset_type.value,
            str(item.count),
            number_text(item.last),
            _at_step(best_point(item, best_of(item.name))),
            _at_step(item.min),
            _at_step(item.max),
            str(item.non_finite_count or ""),
        ]
        for item in summaries
    ]
    print_line("")
    print_table(columns[:-1] if are_finite else columns, [row[:-1] if are_finite else row for row in rows])


def _print_children(reader: RunReader, run_id: str) -> None:
    """The first runs below this one."""
    page = reader.list_children(run_id, limit=_MOST_CHILDREN)
    if not page:
        return
    print_line("")
    print_table(
        [
            Column("child"),
            Column("name", may_be_cut=True, goes=1),
            Column("status"),
            Column("took", goes=2, is_number=True),
        ],
        [[child.id, child.name or "", child.status.value, duration_text(child)] for child in page],
    )
    if page.next_cursor is not None:
        print_line(f'and more: runstore runs --all --filter "parent = {spelt_literal(run_id)}"')


def _print_short_config(config: Mapping[str, Any]) -> None:
    texts = list(config_texts(config).items())
    shown = texts if len(texts) <= _MOST_VALUES else texts[: _MOST_VALUES - 2]
    _print_section("configuration", [[key, value] for key, value in shown])
    if len(shown) < len(texts):
        print_line(f"  and {len(texts) - len(shown)} more values: --config shows all")


def _print_whole_config(config: Mapping[str, Any]) -> None:
    if not config:
        print_line("\nThe run has no configuration.")
        return
    print_line("")
    print_line("configuration", bold=True)
    print_json(config)


def _print_section(title: str, facts: Sequence[Sequence[str]]) -> None:
    if facts and title:
        print_line("")
        print_line(title, bold=True)
    print_facts(facts, indent=2 if title else 0)


def _at_step(point: StepValue | None) -> str:
    return "" if point is None else f"{number_text(point)} @ {point.step}"
