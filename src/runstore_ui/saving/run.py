"""A run as a file."""

from typing import Final

import msgspec
from starlette.datastructures import QueryParams

from runstore.errors import RunStoreError
from runstore.model import Artifact
from runstore.protocol import RunReader
from runstore_ui.artifact import Folder
from runstore_ui.judging import Choice, Sheet, Shelf, sheet_of
from runstore_ui.rounds import KeptRounds, RoundsSheet, rounds_sheet
from runstore_ui.run import metric_rows
from runstore_ui.saving.drawing import draw
from runstore_ui.saving.file import file_of
from runstore_ui.saving.pictures import pictures_of
from runstore_ui.state import AxisState, EvaluationState, RoundsState
from runstore_ui.views.evaluation import files_of
from runstore_ui.views.run import values_of

_MOST_METRICS: Final = 2_000
_MOST_EVALUATIONS: Final = 4


def saved_run(reader: RunReader, run_id: str, axis: AxisState | None = None) -> str:
    """The page of a run, with its charts, what its predictions say and its rounds, as HTML.

    Raises:
        RunNotFoundError: there is none of this id.
    """
    axis = axis or AxisState()
    values = values_of(reader, QueryParams([("id", run_id), *axis.pairs()]), None)
    files: list[Artifact] = list(values["recorders"].files)
    pictures, remarks = pictures_of(reader, files)
    evaluations, unread = _evaluations(reader, run_id)
    rounds, unread_rounds = _rounds(reader, run_id)
    metrics = metric_rows(reader.get_summaries(run_id))
    if len(metrics) > _MOST_METRICS:
        remarks.append(f"The first {_MOST_METRICS:,} of {len(metrics):,} series are listed.")
    values |= {
        "metrics": metrics[:_MOST_METRICS],
        "folders": [_with_pictures(folder, pictures) for folder in values["folders"]],
    }
    return file_of(
        "saved_run.html",
        **values,
        drawn=draw(reader, values["groups"], values["chosen"]),
        evaluations=evaluations,
        rounds=rounds,
        rounds_state=RoundsState(run=run_id),
        remarks=[*unread, *unread_rounds, *remarks],
    )


def _with_pictures(folder: Folder, pictures: dict[str, str]) -> Folder:
    start = f"{folder.name}/" if folder.name else ""
    files = [msgspec.structs.replace(each, thumbnail=pictures.get(f"{start}{each.name}", "")) for each in folder.files]
    return msgspec.structs.replace(folder, files=files)


def _evaluations(reader: RunReader, run_id: str) -> tuple[list[tuple[str, Sheet, EvaluationState]], list[str]]:
    """What each file of predictions says, at its usual threshold; and which could not be read."""
    kept = files_of(reader, run_id)
    found, remarks = [], []
    for each in kept[:_MOST_EVALUATIONS]:
        try:
            sheet = sheet_of(Shelf().judged(reader, each, Choice()), None)
        except RunStoreError as error:
            if error.is_transient:
                raise
            remarks.append(f"The predictions {each.name} are not shown: {error}")
            continue
        found.append((each.name, sheet, EvaluationState(run=each.run_id, file=each.name)))
    if len(kept) > _MOST_EVALUATIONS:
        remarks.append(f"The first {_MOST_EVALUATIONS} of {len(kept):,} files of predictions are shown.")
    return found, remarks


def _rounds(reader: RunReader, run_id: str) -> tuple[RoundsSheet | None, list[str]]:
    try:
        rounds = KeptRounds().of(reader, run_id)
    except RunStoreError as error:
        if error.is_transient:
            raise
        return None, [f"The rounds are not shown: {error}"]
    return (rounds_sheet(rounds, metric=None, until=None) if rounds else None), []
