"""``run?id=…``: one run, with all that is known of it but its histories."""

from datetime import UTC, datetime
from typing import Any, Final

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from runstore import predictions, rounds
from runstore.model import Run, RunStatus
from runstore.protocol import RunReader
from runstore.texts import duration_text
from runstore_ui.artifact import folders_of
from runstore_ui.charts import choose_metrics, panels_of_run
from runstore_ui.pages import render
from runstore_ui.run import branches_of, ending_of, leading_rows, metric_rows, progress_of, recorders_of
from runstore_ui.site import site_of
from runstore_ui.state import AxisState, TableState, link
from runstore_ui.table import SHAPES, WORDS

_MOST_CHILDREN: Final = 200


def show(request: Request) -> Response:
    """The page of a run.

    Raises:
        RunNotFoundError: there is none of this id.
    """
    return render(request, "run.html", **values_of(site_of(request).reader, request.query_params, datetime.now(UTC)))


def values_of(reader: RunReader, query: QueryParams, now: datetime | None) -> dict[str, Any]:
    """What the page of a run shows; in a file, which has no now, times are exact.

    Raises:
        RunNotFoundError: there is none of this id.
    """
    run = reader.get_run(query.get("id", ""))
    experiment = reader.get_experiment(run.experiment_id).name
    children = reader.list_children(run.id, limit=_MOST_CHILDREN)
    recorders = recorders_of(run.id, reader.list_artifacts(run.id))
    wanted = query.get("setting", "")
    config = reader.get_config(run.id)
    summaries = reader.get_summaries(run.id)
    axis = AxisState.of(query)
    chosen = choose_metrics([summaries], axis, lambda to: link("run", [("id", run.id), *to.pairs()]))
    shown = chosen.of(summaries)
    groups = panels_of_run(run.id, shown, axis)
    is_running = run.status is RunStatus.IN_PROGRESS
    progress = progress_of(reader, run, config, summaries, now) if is_running and now is not None else ""
    return dict(  # noqa: C408 - names, as the template has them
        run=run,
        here=link("run", [("id", run.id)]),
        change=link("change", axis.pairs()),
        as_file=link("run.html", [("id", run.id), *axis.pairs()]),
        experiment=experiment,
        experiment_link=TableState(experiment=experiment).link(),
        parent=None if run.parent_run_id is None else (run.parent_run_id, link("run", [("id", run.parent_run_id)])),
        children=[(child, link("run", [("id", child.id)]), duration_text(child)) for child in children],
        has_more_children=children.next_cursor is not None,
        ending=ending_of(run, now, progress),
        took=duration_text(run),
        metrics=metric_rows(shown),
        chosen=chosen,
        leading=leading_rows(summaries),
        axis=axis,
        groups=groups,
        sources={panel.title: panel.source for group in groups for panel in group.panels},
        points=sum(each.count for each in summaries),
        recorders=recorders,
        has_settings=bool(config),
        wanted=wanted,
        settings=branches_of(config, wanted),
        provenance=branches_of(run.provenance),
        git=_commit(run),
        folders=folders_of(recorders.files),
        computed=_computed(run.id, {each.artifact_type for each in recorders.files}),
        shapes=SHAPES,
        words=WORDS,
    )


def _computed(run_id: str, types: set[str]) -> list[tuple[str, str]]:
    """The pages that are computed from artifacts of the run: what each is called, and its address."""
    pages = ((predictions.ARTIFACT_TYPE, "Evaluation", "evaluation"), (rounds.ARTIFACT_TYPE, "Rounds", "rounds"))
    return [(name, link(page, [("run", run_id)])) for kind, name, page in pages if kind in types]


def _commit(run: Run) -> str:
    """The beginning of the commit that the run was started from, and whether there were changes beside it."""
    git = run.provenance.get("git")
    if not isinstance(git, dict) or not git.get("commit"):
        return ""
    return f"git {str(git['commit'])[:10]}, {'with changes' if git.get('dirty') else 'clean'}"
