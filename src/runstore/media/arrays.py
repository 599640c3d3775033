"""Arrays of whatever library, as numpy's."""

from typing import Any

from runstore.errors import InvalidValueError


def is_array(value: object) -> bool:
    """Whether it is an array of numpy, torch, jax or the like, known by its face: no library is imported for this."""
    return hasattr(value, "shape") and hasattr(value, "dtype") and not isinstance(value, type)


def numpy_of(value: Any) -> Any:
    """The array as numpy's, on the processor, without a gradient; a list of numbers becomes one.

    Raises:
        InvalidValueError: numpy is not installed.
        Exception: what the array's own library raises.
    """
    try:
        import numpy as np  # noqa: PLC0415 - needed for arrays only
    except ImportError:
        raise InvalidValueError("arrays need numpy; do: pip install numpy") from None
    if hasattr(value, "detach"):  # of torch
        value = value.detach().cpu()
        if "bfloat16" in str(value.dtype):  # which numpy does not know
            value = value.float()
    return np.asarray(value)
