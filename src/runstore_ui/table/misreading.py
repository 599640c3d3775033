"""What is wrong with a filter, where it stands in it."""

from msgspec import Struct

from runstore.errors import QueryError


class Misreading(Struct, frozen=True, kw_only=True):
    """Why a filter cannot be understood.

    Attributes:
        before: the text up to the place, as wide as the caret must be moved.
        message: what was expected and found, and what there is.
    """

    before: str | None
    message: str


def misreading(text: str, error: QueryError) -> Misreading:
    """What to show under the field of a filter. An order or a cursor, which stand elsewhere in the address, may be wrong as well."""
    place = f" at position {error.position} of {text!r}"
    if error.position is None or place not in str(error):
        return Misreading(before=None, message=str(error))
    message = str(error).replace(place, "")
    return Misreading(before=text[: error.position], message=message)
