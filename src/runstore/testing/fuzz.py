"""Random examples from plain seeds: the same ones each time, and others each time in the profile ``deep``.

Hypothesis steers towards small examples and says most when it shrinks them; what is wanted here are many different
examples of a given mixture for little time. What fails is then made smaller by leaving parts out.
"""

import random
import secrets
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from runstore.testing.strategies import PROFILES, profile

ItemT = TypeVar("ItemT")


def chances(examples: int, *, share: float) -> Iterator[tuple[int, random.Random]]:
    """A seed and its generator for each example: so many in the profile ``ci``, or a share of them."""
    first = secrets.randbits(48) if profile() == "deep" else 0
    for number in range(max(2, round(examples * share * PROFILES[profile()]))):
        yield first + number, random.Random(first + number)  # noqa: S311 - examples, no secrets


def smallest(items: Sequence[ItemT], works: Callable[[Sequence[ItemT]], object]) -> list[ItemT]:
    """The items without those that ``works`` fails without as well, for ``works`` fails with all of them."""
    kept = list(items)
    for at in reversed(range(len(kept))):
        fewer = kept[:at] + kept[at + 1 :]
        try:
            works(fewer)
        except Exception:  # noqa: BLE001 - whatever it fails with, it still fails
            kept = fewer
    return kept
