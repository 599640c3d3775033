"""A LIKE pattern of a filter as SQL takes it."""

from runstore.query import Wildcard, like_tokens


def like_pattern(pattern: str) -> str:
    """A pattern of ours as LIKE takes it, with ``!`` before what it takes for a wildcard."""
    return "".join(
        token.value
        if isinstance(token, Wildcard)
        else "".join(f"!{character}" if character in "%_!" else character for character in token)
        for token in like_tokens(pattern)
    )
