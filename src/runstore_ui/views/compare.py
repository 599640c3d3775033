"""``compare?run=…&run=…``: runs side by side, what differs first."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from runstore.errors import InvalidValueError
from runstore.model import SeriesSummary
from runstore.protocol import RunReader
from runstore.query import ConfigKey, spelt
from runstore_ui.charts import choose_metrics, panels_of_runs
from runstore_ui.comparing import MOST_SETTINGS, SettingLine, compare_settings, metric_lines
from runstore_ui.figures import looks_of
from runstore_ui.grouping import (
    SEED,
    Grouping,
    GroupMetricLine,
    group_metric_lines,
    group_runs,
    group_setting_lines,
)
from runstore_ui.pages import render
from runstore_ui.reading import runs_of, setting_texts
from runstore_ui.site import site_of
from runstore_ui.state import CompareState, link
from runstore_ui.table import SHAPES, WORDS

_MOST: Final = 100
_MOST_SIDE_BY_SIDE: Final = 8
"""More runs than that stand below each other: of so many one reads a column, not a line."""


def show(request: Request) -> Response:
    """The comparison as the URL says.

    Raises:
        InvalidValueError: more runs than fit side by side.
        RunNotFoundError: one of them is not there.
    """
    reader = site_of(request).reader
    state = CompareState.of(request.query_params)
    if not state.runs:
        return render(
            request,
            "failure.html",
            status=HTTPStatus.BAD_REQUEST,
            title="No runs to compare",
            message="Tick two runs or more in the table, then Compare.",
        )
    return render(request, "compare.html", **values_of(reader, state))


def values_of(reader: RunReader, state: CompareState, *, most_settings: int = MOST_SETTINGS) -> dict[str, Any]:
    """What a comparison shows.

    Args:
        reader: of the store.
        state: what is asked for.
        most_settings: how many have a line.

    Raises:
        InvalidValueError: more runs than fit side by side.
        RunNotFoundError: one of them is not there.
    """
    if len(state.runs) > _MOST:
        raise InvalidValueError(f"{len(state.runs)} runs were to be compared; at most {_MOST} stand side by side")
    runs = runs_of(reader, state.runs)
    ids = [run.id for run in runs]
    summaries, configs = reader.get_summaries_of(ids), reader.get_configs(ids)
    baseline = ids.index(state.baseline) if state.baseline in ids else 0
    texts = setting_texts({run_id: configs.get(run_id, {}) for run_id in ids})
    settings = compare_settings(
        list(texts.values()), wanted=state.wanted, shows_equal=state.shows_equal, most=most_settings
    )
    grouped = _grouped(state, texts, summaries, {run.id: run.name or run.id for run in runs})
    chosen = choose_metrics(
        [summaries.get(run_id, ()) for run_id in ids], state.axis, lambda axis: state.link(axis=axis)
    )
    return dict(  # noqa: C408 - names, as the template has them
        state=state,
        spread=link("spread", [("run", run_id) for run_id in ids]),
        runs=[
            (
                run,
                link("run", [("id", run.id)]),
                state.link(baseline=run.id),
                state.link(runs=tuple(each for each in ids if each != run.id)),
            )
            for run in runs
        ],
        baseline=baseline,
        axis=state.axis,
        chosen=chosen,
        is_running=any(not run.status.is_final for run in runs),
        groups=panels_of_runs(
            {run_id: chosen.of(summaries.get(run_id, ())) for run_id in ids},
            state.axis,
            groups=grouped.grouping.groups if grouped else (),
            shows_single=state.shows_single,
        ),
        metrics=metric_lines([summaries.get(run_id, ()) for run_id in ids], baseline),
        settings=settings.lines,
        equal=settings.equal,
        left_out=settings.left_out,
        has_many=settings.total > MOST_SETTINGS,
        looks=looks_of(ids),
        is_turned=len(ids) > _MOST_SIDE_BY_SIDE,
        grouped=grouped,
        seed=SEED,
        setting_field=_field,
        shapes=SHAPES,
        words=WORDS,
    )


class _Grouped(Struct, frozen=True, kw_only=True):
    """What a comparison of groups shows.

    Attributes:
        heads: of each group its label, and the names and addresses of its runs.
        by: the fields by which the groups were made, each with the address without it.
        over: those over which they are means, likewise.
        left_out: how many settings have no line.
    """

    grouping: Grouping
    heads: Sequence[tuple[str, Sequence[tuple[str, str]]]]
    by: Sequence[tuple[str, str]]
    over: Sequence[tuple[str, str]]
    metrics: Sequence[GroupMetricLine]
    settings: Sequence[SettingLine]
    left_out: int


def _grouped(
    state: CompareState,
    texts: Mapping[str, Mapping[str, str]],
    summaries: Mapping[str, Sequence[SeriesSummary]],
    names: Mapping[str, str],
) -> _Grouped | None:
    if not state.is_grouped:
        return None
    found = group_runs(texts, state.by, state.over)
    settings, left_out = group_setting_lines(found.groups, texts)
    by = [(text, state.link(by=_without(state.by, text))) for text in state.by]
    over = [] if state.by else [(text, state.link(over=_without(state.over, text))) for text in state.over]
    return _Grouped(
        grouping=found,
        heads=[
            (each.label, [(names[run_id], link("run", [("id", run_id)])) for run_id in each.runs])
            for each in found.groups
        ],
        by=by,
        over=over,
        metrics=group_metric_lines(found.groups, summaries),
        settings=settings,
        left_out=left_out,
    )


def _without(fields: Sequence[str], text: str) -> tuple[str, ...]:
    return tuple(each for each in fields if each != text)


def _field(key: str) -> str:
    """A setting as an address names it."""
    return spelt(ConfigKey(key))
