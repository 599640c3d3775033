"""Whether an answer may go into the mean. One that may not costs its client the round, and nobody else anything."""

import numpy as np

from pneumo_train.federating.values import Answer, Arrays, Request
from runstore import InvalidValueError
from runstore.rounds import ClientRound

_SHOWN = 3

_MOST_FIGURES = 400
"""Of one answer: those of the training and those of the look stand in one record of the client, which holds 1,000."""

_OURS = ("bytes", "epsilon")
_GLOBAL = "global_"
"""What the record itself calls figures; a client's may not be taken for them."""


def what_is_wrong(answer: Answer, request: Request, images: int | None = None) -> str | None:
    """Why an answer cannot be taken, or ``None``.

    Args:
        answer: of the client.
        request: what it was asked.
        images: how many it trains on, by what is known of its films.
    """
    if answer.client != request.client:
        return f"it calls itself {answer.client!r}, and {request.client!r} was asked"
    if type(answer.num_examples) is not int or answer.num_examples < 1:
        return f"num-examples is {answer.num_examples!r}; it must be a whole number from 1 on"
    if wrong := _wrong_figures(answer):
        return wrong
    if request.task == "evaluate":
        return None
    if images is not None and answer.num_examples != images:
        return f"num-examples is {answer.num_examples:,}; the client has {images:,} images to train on"
    return _wrong_arrays(answer.arrays, request.arrays)


def _wrong_figures(answer: Answer) -> str | None:
    """Why what it says of itself cannot be kept; the record would refuse it, and with it the round of all."""
    if len(answer.metrics) > _MOST_FIGURES:
        return f"it has {len(answer.metrics):,} figures; at most {_MOST_FIGURES} are kept"
    if taken := [name for name in answer.metrics if name in _OURS or name.startswith(_GLOBAL)]:
        return f"it calls a figure {taken[0]!r}, which is a name of the server's"
    try:
        ClientRound(
            client=answer.client,
            status="completed",
            num_examples=answer.num_examples,
            metrics={f"{_GLOBAL}{name}" if name else name: value for name, value in answer.metrics.items()},
        )
    except InvalidValueError as error:
        return f"its figures cannot be kept: {error}"
    return None


def _wrong_arrays(found: Arrays, sent: Arrays) -> str | None:
    if set(found) != set(sent):
        lacks, more = sorted(set(sent) - set(found)), sorted(set(found) - set(sent))
        return f"its arrays are not those that were sent: {_names(lacks)} missing, {_names(more)} too many"
    for name, array in found.items():
        if array.shape != sent[name].shape:
            return f"{name} has the shape {array.shape}; {sent[name].shape} was sent"
        if array.dtype != sent[name].dtype:
            return f"{name} holds {array.dtype}; {sent[name].dtype} was sent"
        if not np.isfinite(array).all():
            return f"{name} holds values that are NaN or infinite"
    return None


def _names(names: list[str]) -> str:
    if not names:
        return "none"
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
