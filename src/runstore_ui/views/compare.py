"""``compare?run=…&run=…``: runs side by side, what differs first."""

from http import HTTPStatus
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from runstore.errors import InvalidValueError
from runstore_ui.charts import choose_metrics, panels_of_runs
from runstore_ui.comparing import metric_lines, setting_lines
from runstore_ui.pages import render
from runstore_ui.site import site_of
from runstore_ui.state import CompareState, link
from runstore_ui.table import SHAPES, WORDS

_MOST: Final = 50


def show(request: Request) -> Response:
    """The comparison as the URL says.

    Raises:
        InvalidValueError: more runs than fit side by side.
        RunNotFoundError: one of them is not there.
    """
    reader = site_of(request).reader
    state = CompareState.of(request.query_params)
    if len(state.runs) > _MOST:
        raise InvalidValueError(f"{len(state.runs)} runs were to be compared; at most {_MOST} stand side by side")
    if not state.runs:
        return render(
            request,
            "failure.html",
            status=HTTPStatus.BAD_REQUEST,
            title="No runs to compare",
            message="Tick two runs or more in the table, then Compare.",
        )
    runs = [reader.get_run(run_id) for run_id in state.runs]
    ids = [run.id for run in runs]
    summaries, configs = reader.get_summaries_of(ids), reader.get_configs(ids)
    baseline = ids.index(state.baseline) if state.baseline in ids else 0
    settings = setting_lines([configs.get(run_id, {}) for run_id in ids])
    chosen = choose_metrics(
        [summaries.get(run_id, ()) for run_id in ids], state.axis, lambda axis: state.link(axis=axis)
    )
    return render(
        request,
        "compare.html",
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
        groups=panels_of_runs({run_id: chosen.of(summaries.get(run_id, ())) for run_id in ids}, state.axis),
        metrics=metric_lines([summaries.get(run_id, ()) for run_id in ids], baseline),
        settings=[line for line in settings if line.differs or state.shows_equal],
        equal=sum(1 for line in settings if not line.differs),
        shapes=SHAPES,
        words=WORDS,
    )
