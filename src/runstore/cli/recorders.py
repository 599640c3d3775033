"""What ``runstore show`` tells of the recorders that wrote a run: whether anything was lost, and where the rest is."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from runstore.health import Counts, RunHealth, health_metadata, stored_health
from runstore.model import HEALTH_PREFIX, Artifact


def split_reports(run_id: str, records: Iterable[Artifact]) -> tuple[dict[str, RunHealth], list[Artifact]]:
    """Each recorder's last report, by writer, and the artifact records that are no such reports."""
    records = list(records)
    reports = stored_health(run_id, records)
    names = {f"{HEALTH_PREFIX}{writer}" for writer in reports}
    return reports, [record for record in records if record.name not in names]


def recorder_values(reports: Mapping[str, RunHealth]) -> dict[str, Any]:
    """The figures of each writer, for programs."""
    return {
        writer: {
            **health_metadata(report),
            "calls": msgspec.to_builtins(report.calls) | {"waiting": report.calls.waiting},
            "points": msgspec.to_builtins(report.points) | {"waiting": report.points.waiting},
        }
        for writer, report in reports.items()
    }


def recorder_table(reports: Mapping[str, RunHealth]) -> tuple[list[str], list[list[str]]]:
    """Titles and rows for people: all writers taken together, and in the title whether anything was lost."""
    calls = _sum([report.calls for report in reports.values()])
    points = _sum([report.points for report in reports.values()])
    lost = f"LOST {_amount(calls.dropped, points.dropped)}, for want of disk and memory" if calls.dropped else "0 lost"
    return ["recorder", lost], [
        ["accepted", _amount(calls.accepted, points.accepted)],
        ["stored", _amount(calls.stored, points.stored)],
        ["waiting", _amount(calls.waiting, points.waiting, "journaled where they were written: `runstore sync` there")],
        [
            "quarantined",
            _amount(calls.quarantined, points.quarantined, "refused and kept: `runstore sync --requeue` there"),
        ],
        ["writers", str(len(reports))],
        ["longest lag", f"{max((report.longest_lag_s for report in reports.values()), default=0.0):.1f} s"],
        *([at.astimezone().strftime("error at %Y-%m-%d %H:%M:%S"), said] for at, said in _errors(reports)),
    ]


def _errors(reports: Mapping[str, RunHealth]) -> list[tuple[datetime, str]]:
    """The last error of each writer, the newest first."""
    found = [(report.last_error_at, report.last_error) for report in reports.values()]
    return sorted(((at, said) for at, said in found if at and said), reverse=True)


def _sum(counts: Sequence[Counts]) -> Counts:
    return Counts(**{name: sum(getattr(item, name) for item in counts) for name in Counts.__struct_fields__})


def _amount(calls: int, points: int, where: str = "") -> str:
    if not calls:
        return "0"
    return f"{calls} calls, {points} points" + (f" ({where})" if where else "")
