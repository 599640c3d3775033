"""``runstore show``: one run."""

from collections.abc import Mapping, Sequence
from typing import Any

import click
import msgspec

from runstore.cli.columns import config_texts
from runstore.cli.files import print_artifacts, print_series_of_files
from runstore.cli.finding import find_run
from runstore.cli.options import examples, json_option, store_option
from runstore.cli.output.figures import duration_text, number_text, time_text, time_zone
from runstore.cli.output.programs import print_json
from runstore.cli.output.tables import Column, print_facts, print_table
from runstore.cli.output.text import first_line, print_line, without_colours
from runstore.cli.recorders import recorder_table, recorder_values, split_reports
from runstore.media.reading import group_series
from runstore.model import Run, RunFailure, RunStatus, SeriesSummary, StepValue
from runstore.opening.stores import open_reader

_MOST_VALUES = 12
"""Of a config, without ``--config``: what a person came for must not scroll away."""


@click.command("show", epilog=examples("runstore show @1", "runstore show 0197f3c2 --config"))
@click.argument("run")
@store_option
@click.option("--config", "with_config", is_flag=True, help="The whole configuration, as JSON.")
@click.option("--traceback", "with_traceback", is_flag=True, help="All that is kept of why the run failed.")
@json_option
def command(run: str, *, store: str | None, with_config: bool, with_traceback: bool, as_json: bool) -> None:
    """Show one run: how it stands, its metrics, configuration and artifacts.

    RUN is its id, the beginning or the end of it, its name, or @1 for the newest.
    """
    print_run(store, run, with_config=with_config, with_traceback=with_traceback, as_json=as_json)


def print_run(store: str | None, wanted: str, *, with_config: bool, with_traceback: bool, as_json: bool) -> None:
    """Everything about one run but the histories; the configuration and the traceback in short unless asked for."""
    with open_reader(store) as reader:
        run = find_run(reader, wanted)
        experiment = reader.get_experiment(run.experiment_id)
        config, summaries, artifacts = (
            reader.get_config(run.id),
            reader.get_summaries(run.id),
            reader.list_artifacts(run.id),
        )
        reports, others = split_reports(run.id, artifacts)
        series, files = group_series(reader, others)
    if as_json:
        print_json(
            msgspec.to_builtins(run)
            | {"experiment": experiment.name, "config": config, "summaries": summaries, "artifacts": artifacts}
            | {"health": recorder_values(reports)}
        )
        return
    _print_section("", [["run", run.id], *_facts(run, experiment.name), *_ending(run.failure)])
    if with_traceback:
        _print_traceback(run.failure)
    if not with_config:
        _print_short_config(config)
    _print_series(summaries)
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
        ["last sign", f"{time_text(run.heartbeat_at)} {time_zone()}" if run.status == RunStatus.LOST else ""],
        ["took", duration_text(run)],
        ["source", run.source_path or ""],
        ["note", run.note or ""],
        ["archived", f"{time_text(run.archived_at)} {time_zone()}" if run.archived_at else ""],
        *[[f"tag {key}", value] for key, value in run.tags.items()],
    ]
    return [fact for fact in facts if fact[1]]


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
    if summaries:
        print_line("")
        print_table(
            [
                Column("metric", may_be_cut=True),
                Column("dataset"),
                Column("points", goes=3, is_number=True),
                Column("last", is_number=True),
                Column("min", is_number=True),
                Column("max", is_number=True),
                Column("non-finite", goes=2, is_number=True),
            ],
            [
                [
                    item.name,
                    item.dataset_type.value,
                    str(item.count),
                    number_text(item.last),
                    _at_step(item.min),
                    _at_step(item.max),
                    str(item.non_finite_count or ""),
                ]
                for item in summaries
            ],
        )


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
