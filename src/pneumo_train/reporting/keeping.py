"""The model card goes with every completed run."""

import logging

from pneumo_train.reporting.card import CARD, model_card
from pneumo_train.reporting.facts import gather_facts
from runstore import RunReader, media
from runstore.training import RunSession

_log = logging.getLogger(__name__)


def keep_model_card(session: RunSession) -> None:
    """Makes the card of the session's run out of its store and keeps it there. What hinders that costs a warning."""
    if session.failures:
        return  # the store did not take everything, and says so itself
    try:
        store = session.store
        if isinstance(store, RunReader):
            session.log_media(media.text(f"{CARD}.md", model_card(gather_facts(store, session.run_id))))
    except Exception as error:  # noqa: BLE001 - a card must not fail a training that is complete
        _log.warning(
            "the model card is not made (%s); once the store answers: pneumo-train report %s", error, session.run_id
        )
