"""``evaluation?run=…``: what a run's predictions say of its classifier, at any threshold, for any part of the cases."""

import re
from http import HTTPStatus

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from runstore.errors import ArtifactNotFoundError
from runstore.model import Artifact
from runstore.predictions import ARTIFACT_TYPE, Levels, Predictions
from runstore.protocol import RunReader
from runstore_ui.evaluation import Pooling
from runstore_ui.judging import sheet_of
from runstore_ui.pages import render
from runstore_ui.site import site_of
from runstore_ui.state import EvaluationState, link
from runstore_ui.views.downloads import figure_file

_MOST_OFFERED = 200
_STEP = re.compile(r"/\d+(?=\.)")


class Field(Struct, frozen=True, kw_only=True):
    """A choice of the form: what it is, its parameter, what is chosen, and what may be: value and text."""

    label: str
    name: str
    chosen: str
    options: tuple[tuple[str, str], ...]


def show(request: Request) -> Response:
    """The evaluation as the URL says."""
    site = site_of(request)
    reader = site.reader
    state = EvaluationState.of(request.query_params)
    run = reader.get_run(state.run)
    files = files_of(reader, state.run)
    if not files and not state.file:
        return render(request, "no_predictions.html", status=HTTPStatus.NOT_FOUND, run=run)
    artifact = _artifact(files, state)
    judged = site.shelf.judged(reader, artifact, state.choice)
    return render(
        request,
        "evaluation.html",
        run=run,
        run_link=link("run", [("id", run.id)]),
        state=state,
        artifact=artifact,
        sheet=sheet_of(judged, state.threshold),
        fields=_fields(judged.predictions, judged.positive, files, artifact, state),
    )


def download(request: Request) -> Response:
    """A figure of the evaluation as a file."""
    site = site_of(request)
    state = EvaluationState.of(request.query_params)
    artifact = _artifact(files_of(site.reader, state.run), state)
    sheet = sheet_of(site.shelf.judged(site.reader, artifact, state.choice), state.threshold)
    return figure_file(request, sheet.figures)


def files_of(reader: RunReader, run_id: str) -> list[Artifact]:
    """The predictions of the run, in the order in which they are offered; the first is shown where the address names none.

    Test data come last: a threshold that is moved while one looks at them is chosen by them. Train data come before these,
    for they flatter. The others follow their names; of what was kept over steps the last step is first.
    """
    found = reader.list_artifacts(run_id)
    files = [each for each in found if each.artifact_type == ARTIFACT_TYPE and each.is_stored]
    files.sort(key=lambda each: each.name, reverse=True)
    return sorted(files, key=lambda each: (_rank(each), _STEP.sub("", each.name)))


def _rank(artifact: Artifact) -> int:
    told = artifact.metadata.get("splits")
    splits = {str(each).lower() for each in told} if isinstance(told, list) else set()
    words = splits or set(re.split(r"[^a-z]+", artifact.name.lower()))
    if "test" in words and not words & {"val", "validation"}:
        return 2
    return 1 if splits == {"train"} or (not splits and words & {"train", "training"}) else 0


def _artifact(files: list[Artifact], state: EvaluationState) -> Artifact:
    """The file that is asked for, or the first.

    Raises:
        ArtifactNotFoundError: the run has no predictions of this name.
    """
    for each in files:
        if state.file in {None, each.name}:
            return each
    known = ", ".join(repr(each.name) for each in files[:10]) or "none"
    raise ArtifactNotFoundError(f"run {state.run} has no predictions called {state.file!r}; it has: {known}")


def _fields(
    predictions: Predictions, positive: str, files: list[Artifact], artifact: Artifact, state: EvaluationState
) -> list[Field]:
    """What can be chosen; where there is nothing to choose, no field."""
    only = dict(state.choice.only)
    found = [
        Field(
            label="predictions",
            name="file",
            chosen=artifact.name,
            options=tuple((each.name, each.name) for each in files),
        ),
        Field(
            label="positive",
            name="class",
            chosen=positive,
            options=tuple((name, name) for name in predictions.classes),
        ),
        *(
            Field(
                label=name,
                name=f"only.{name}",
                chosen=only.get(name, ""),
                options=_parts(levels, only.get(name, "")),
            )
            for name, levels in predictions.divisions.items()
        ),
    ]
    if predictions.groups is not None:
        found.append(
            Field(
                label="a case is",
                name="pooling",
                chosen=str(state.choice.pooling),
                options=(
                    (str(Pooling.NONE), "a sample"),
                    (str(Pooling.MEAN), "a group, its mean score"),
                    (str(Pooling.MAX), "a group, its highest score"),
                ),
            )
        )
    return [field for field in found if len(field.options) > (2 if field.name.startswith("only.") else 1)]


def _parts(levels: Levels, chosen: str) -> tuple[tuple[str, str], ...]:
    """All, and each part; of very many the first, and the one that is chosen."""
    offered = dict.fromkeys([*levels.names[:_MOST_OFFERED], *([chosen] if chosen else [])])
    return (("", "all"), *((value, value) for value in offered))
