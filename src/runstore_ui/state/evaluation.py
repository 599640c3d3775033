"""What the URL of an evaluation says."""

import math
from typing import Any, Final, Self

import msgspec
from msgspec import Struct
from starlette.datastructures import QueryParams

from runstore.errors import InvalidValueError
from runstore_ui.evaluation import Pooling
from runstore_ui.judging import Choice
from runstore_ui.state.links import link

ONLY: Final = "only."
"""What the name of a division follows: ``only.site=lyon``."""


class EvaluationState(Struct, frozen=True, kw_only=True):
    """A view of predictions. Another person who opens its link sees the same.

    Attributes:
        run: the run's id.
        file: the artifact's name; the first of the run's if ``None``.
        threshold: the least score that counts as positive; the usual one if ``None``.
        choice: which cases, and as what.
    """

    run: str
    file: str | None = None
    threshold: float | None = None
    choice: Choice = Choice()

    @classmethod
    def of(cls, query: QueryParams) -> Self:
        """What a URL's query says.

        Raises:
            InvalidValueError: there is no run in it, or something that is no number and no pooling.
        """
        run = query.get("run", "")
        if not run:
            raise InvalidValueError("the address names no run; give run=ID")
        only = {name[len(ONLY) :]: value for name, value in query.items() if name.startswith(ONLY) and value}
        pooling = query.get("pooling") or Pooling.NONE
        if pooling not in set(Pooling):
            raise InvalidValueError(f"pooling is {pooling!r}; give one of {', '.join(map(repr, map(str, Pooling)))}")
        return cls(
            run=run,
            file=query.get("file") or None,
            threshold=_number(query.get("threshold", "")),
            choice=Choice(
                positive=query.get("class") or None, only=tuple(sorted(only.items())), pooling=Pooling(pooling)
            ),
        )

    def pairs(self, *without: str) -> list[tuple[str, str]]:
        """The query, but for parameters that a form of its own brings."""
        pairs = [
            ("run", self.run),
            ("file", self.file or ""),
            ("threshold", "" if self.threshold is None else repr(self.threshold)),
            ("class", self.choice.positive or ""),
            *((f"{ONLY}{name}", value) for name, value in self.choice.only),
            ("pooling", "" if self.choice.pooling is Pooling.NONE else str(self.choice.pooling)),
        ]
        return [(name, value) for name, value in pairs if value and name not in without]

    def link(self, **changes: Any) -> str:
        """The address of this view, with some of it changed."""
        return link("evaluation", msgspec.structs.replace(self, **changes).pairs())

    def link_to_figure(self, number: int, kind: str) -> str:
        """The address of a figure of this view as a file."""
        return link(f"evaluation.{kind}", [*self.pairs(), ("figure", str(number))])

    def link_to_part(self, division: str, name: str) -> str:
        """The address of the same view of one subgroup alone."""
        only = tuple(sorted({**dict(self.choice.only), division: name}.items()))
        return self.link(choice=msgspec.structs.replace(self.choice, only=only))


def _number(text: str) -> float | None:
    if not text:
        return None
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        raise InvalidValueError(f"threshold is {text!r}; give a number")
    return found
