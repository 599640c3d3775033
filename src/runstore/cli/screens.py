"""What the commands print: tables for people, JSON for programs.

Text from a store is printed as plain text, see :mod:`runstore.cli.tables`: a run may have any name.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from runstore.cli.tables import print_json, print_line, print_table
from runstore.files import copy_out
from runstore.model import Artifact, Run, SeriesSummary, StepValue
from runstore.opening import open_reader
from runstore.plugins import find_backends
from runstore.secrets import redact


def print_backends(*, as_json: bool) -> None:
    """Every backend, its schemes and what it needs; then the plugins that failed to load."""
    catalog = find_backends()
    rows: list[dict[str, Any]] = [
        {
            "name": found.backend.name,
            "schemes": list(found.backend.schemes),
            "plugin": found.plugin,
            "state": f"needs {found.needs}" if found.missing else "ready",
        }
        for found in catalog.backends
    ]
    broken = {name: redact(f"{type(error).__name__}: {error}") for name, error in catalog.broken.items()}
    if as_json:
        print_json({"backends": rows, "broken": broken})
        return
    print_table(
        ["backend", "schemes", "plugin", "state"],
        [[row["name"], ", ".join(row["schemes"]), row["plugin"], row["state"]] for row in rows],
    )
    for name, error in broken.items():
        print_line(f"The plugin {name} failed to load: {error}", fg="red")


def print_runs(store: str | None, *, where: str | None, order_by: Sequence[str], limit: int, as_json: bool) -> None:
    """One page of runs with the last value of each metric they have most in common."""
    with open_reader(store) as reader:
        page = reader.search_runs(where, order_by=order_by, limit=limit)
        summaries = reader.get_summaries_of([run.id for run in page.items])
    if as_json:
        print_json([_run_values(run) | {"summaries": summaries.get(run.id, ())} for run in page.items])
        return
    if not page.items:
        print_line("No run matches." if where else "There are no runs yet.")
        return
    columns = _common_series(summaries.values())
    rows = []
    for run in page.items:
        last = {(item.name, item.dataset_type.value): item.last for item in summaries.get(run.id, ())}
        rows.append(
            [
                run.id,
                run.name or "",
                run.status.value,
                _time(run.start_time),
                *(_number(last.get(key)) for key in columns),
            ]
        )
    print_table(["run", "name", "status", "started", *(f"{name} ({kind})" for name, kind in columns)], rows)
    if page.next_cursor is not None:
        print_line(f"More runs match; these are the first {limit} (--limit).")


def print_run(store: str | None, run_id: str, *, as_json: bool) -> None:
    """Everything about one run but the histories."""
    from runstore.cli.recorders import recorder_table, recorder_values, split_reports  # noqa: PLC0415 - one screen's need

    with open_reader(store) as reader:
        run = reader.get_run(run_id)
        experiment = reader.get_experiment(run.experiment_id)
        config, summaries, artifacts = (
            reader.get_config(run_id),
            reader.get_summaries(run_id),
            reader.list_artifacts(run_id),
        )
    reports, files = split_reports(run_id, artifacts)
    if as_json:
        print_json(
            _run_values(run)
            | {"experiment": experiment.name, "config": config, "summaries": summaries, "artifacts": artifacts}
            | {"health": recorder_values(reports)}
        )
        return
    print_table(["run", run.id], _facts(run, experiment.name))
    _print_series(summaries)
    _print_artifacts(files)
    if reports:
        print_line("")
        print_table(*recorder_table(reports))
    if config:
        print_line("")
        print_line("configuration", bold=True)
        print_json(config)


def fetch_artifact(store: str | None, run_id: str, name: str, target: str | None) -> None:
    """Writes an artifact's bytes to a file that appears whole or not at all."""
    place = Path(target or PurePosixPath(name).name)
    with open_reader(store) as reader, reader.open_artifact(run_id, name) as source:
        copy_out(source, place)
    print_line(str(place))


def _facts(run: Run, experiment: str) -> list[list[str]]:
    facts = [
        ["experiment", experiment],
        ["name", run.name or ""],
        ["status", run.status.value],
        ["mode", run.training_mode],
        ["attempt", str(run.attempt)],
        ["started", _time(run.start_time)],
        ["ended", _time(run.end_time) if run.end_time else ""],
        ["source", run.source_path or ""],
    ]
    if run.failure is not None:
        facts.append(["ended by", f"{run.failure.type}: {run.failure.message}"])
    facts += [[f"tag {key}", value] for key, value in run.tags.items()]
    return [fact for fact in facts if fact[1]]


def _print_series(summaries: Sequence[SeriesSummary]) -> None:
    if summaries:
        print_line("")
        print_table(
            ["metric", "dataset", "points", "last", "best min", "best max", "non-finite"],
            [
                [
                    item.name,
                    item.dataset_type.value,
                    str(item.count),
                    _number(item.last),
                    _at_step(item.min),
                    _at_step(item.max),
                    str(item.non_finite_count or ""),
                ]
                for item in summaries
            ],
        )


def _print_artifacts(artifacts: Sequence[Artifact]) -> None:
    if artifacts:
        print_line("")
        print_table(
            ["artifact", "type", "bytes", "metadata", "where"],
            [
                [
                    item.name,
                    item.artifact_type,
                    "" if item.size is None else str(item.size),
                    ", ".join(f"{key}={value}" for key, value in item.metadata.items()),
                    redact(item.uri),
                ]
                for item in artifacts
            ],
        )


def _common_series(summaries: Iterable[Sequence[SeriesSummary]], most: int = 4) -> list[tuple[str, str]]:
    """The series that most of the runs have, by name."""
    counts: dict[tuple[str, str], int] = {}
    for items in summaries:
        for item in items:
            key = item.name, item.dataset_type.value
            counts[key] = counts.get(key, 0) + 1
    ranked = sorted(counts, key=lambda key: (-counts[key], key[1] != "validation", key))
    return sorted(ranked[:most])


def _run_values(run: Run) -> dict[str, Any]:
    values: dict[str, Any] = msgspec.to_builtins(run)
    return values


def _time(moment: datetime) -> str:
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _number(point: StepValue | None) -> str:
    return "" if point is None else f"{point.value:.6g}"


def _at_step(point: StepValue | None) -> str:
    return "" if point is None else f"{point.value:.6g} @ {point.step}"
