"""The pictures of an evaluation go with the run that holds it."""

import logging

from torch import nn

from pneumo_train.evaluating.figures import Evaluation
from pneumo_train.images.films import Films
from pneumo_train.showing.pictures import plots_of, sheets_of
from runstore import media
from runstore.training import RunSession

_log = logging.getLogger(__name__)


def keep_pictures(session: RunSession, evaluation: Evaluation, films: Films, model: nn.Module) -> None:
    """Draws all pictures of an evaluation and keeps them with the session's run. What hinders that costs a warning.

    Args:
        session: leads the run; one that has ended takes them as well.
        evaluation: of these films, in this order.
        films: what was looked at.
        model: what looked.
    """
    for pictures in (plots_of(evaluation), sheets_of(evaluation, films, model)):
        try:
            for name, figure in pictures:
                session.log_media(media.figure(f"{name}-{_file_name(evaluation.evaluated.part)}", figure))
        except Exception as error:  # noqa: BLE001 - a picture must not fail an evaluation that is complete
            _log.warning("not every picture of %s is made: %s", evaluation.evaluated.part, error)


def _file_name(part: str) -> str:
    kept = "".join(character if character.isalnum() or character in "._-" else "-" for character in part)
    return kept.strip(".-")[:100] or "part"
