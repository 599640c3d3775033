"""What ``runstore show`` tells of the recorders that wrote a run: whether anything was lost, and where the rest is."""

from collections.abc import Mapping
from typing import Any

import msgspec

from runstore.health import RunHealth, SentAgain, health_metadata, last_errors, sent_again, sum_counts


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
    calls = sum_counts(report.calls for report in reports.values())
    points = sum_counts(report.points for report in reports.values())
    lost = f"LOST {_amount(calls.dropped, points.dropped)}, for want of disk and memory" if calls.dropped else "0 lost"
    if any(report.is_lost for report in reports.values()):
        lost = f"LOST, for the database forgot it{f'; {lost}' if calls.dropped else ''}"
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
        *(_of_return(each) for each in sent_again(reports.values())),
        *([at.astimezone().strftime("error at %Y-%m-%d %H:%M:%S"), said] for at, said in last_errors(reports)),
    ]


def _of_return(found: SentAgain) -> list[str]:
    """That the database had gone back behind what it had acknowledged, and what was done about it."""
    told = f"{found.points_missing} points were forgotten; {found.points} points and {found.calls} other records sent again"
    lost = f"; LOST: {'; '.join(found.lost)}" if found.lost else ""
    return [found.at.astimezone().strftime("gone back, seen at %Y-%m-%d %H:%M:%S"), told + lost]


def _amount(calls: int, points: int, where: str = "") -> str:
    if not calls:
        return "0"
    return f"{calls} calls, {points} points" + (f" ({where})" if where else "")
