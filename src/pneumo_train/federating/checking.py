"""Whether an answer may go into the mean. One that may not costs its client the round, and nobody else anything."""

import numpy as np

from pneumo_train.federating.values import Answer, Arrays, Request

_SHOWN = 3


def what_is_wrong(answer: Answer, request: Request) -> str | None:
    """Why an answer to train cannot be taken, or ``None``."""
    if answer.client != request.client:
        return f"it calls itself {answer.client!r}, and {request.client!r} was asked"
    if type(answer.num_examples) is not int or answer.num_examples < 1:
        return f"num-examples is {answer.num_examples!r}; it must be a whole number from 1 on"
    if request.task == "evaluate":
        return None
    return _wrong_arrays(answer.arrays, request.arrays)


def _wrong_arrays(found: Arrays, sent: Arrays) -> str | None:
    if set(found) != set(sent):
        lacks, more = sorted(set(sent) - set(found)), sorted(set(found) - set(sent))
        return f"its arrays are not those that were sent: {_names(lacks)} missing, {_names(more)} too many"
    for name, array in found.items():
        if array.shape != sent[name].shape:
            return f"{name} has the shape {array.shape}; {sent[name].shape} was sent"
        if not np.issubdtype(array.dtype, np.floating):
            return f"{name} holds {array.dtype}; numbers with a point were sent"
        if not np.isfinite(array).all():
            return f"{name} holds values that are NaN or infinite"
    return None


def _names(names: list[str]) -> str:
    if not names:
        return "none"
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
