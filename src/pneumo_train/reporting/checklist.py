"""The checklist of a run: each item filled from the store, or named as one that a person must fill."""

import dataclasses
from typing import Literal

from pneumo_train.reporting.card import WARNING
from pneumo_train.reporting.claim import ITEMS, Item
from pneumo_train.reporting.facts import RunFacts
from pneumo_train.reporting.markdown import plain, table

Edition = Literal[2024, 2020]
State = Literal["filled", "in part", "person"]

_SOURCES = {
    2024: "Tejani and others, Radiology: Artificial Intelligence 2024;6(4):e240300, doi:10.1148/ryai.240300; explained, with "
    "examples, in Akinci D'Antonoli and others, Radiology: Artificial Intelligence 2026;8:e260835, doi:10.1148/ryai.260835",
    2020: "Mongan, Moy and Kahn, Radiology: Artificial Intelligence 2020;2(2):e200029, doi:10.1148/ryai.2020200029",
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What there is to an item.

    Attributes:
        number: in the edition that was asked for.
        also: its number in the other edition, or ``None``.
        state: whether the store fills it, fills it in part, or a person must.
        told: what the store tells, as Markdown; empty when it tells nothing.
        left: what a person must still write, or what the store would need; empty when it is filled.
    """

    number: int
    also: int | None
    asks: str
    state: State
    told: str
    left: str


def answer(facts: RunFacts, edition: Edition = 2024) -> tuple[Answer, ...]:
    """Every item of an edition, in its order."""
    numbered = [(item.of_2024 if edition == 2024 else item.of_2020, item) for item in ITEMS]  # noqa: PLR2004 - a year
    return tuple(
        _answered(number, item, facts, edition)
        for number, item in sorted(
            ((number, item) for number, item in numbered if number is not None), key=lambda each: each[0]
        )
    )


def _answered(number: int, item: Item, facts: RunFacts, edition: Edition) -> Answer:
    told = item.fill(facts) if item.fill else None
    if told is None:
        state: State = "person"
        left = f"a person; the store has it not: it would come from {item.source}" if item.fill else "a person"
    else:
        left = "; ".join(filter(None, (item.person, item.also(facts) if item.also else "")))
        state = "in part" if left else "filled"
    also = item.of_2020 if edition == 2024 else item.of_2024  # noqa: PLR2004 - a year
    return Answer(number=number, also=also, asks=item.asks, state=state, told=told or "", left=left)


def checklist(facts: RunFacts, edition: Edition = 2024) -> str:
    """The checklist as Markdown."""
    answers = answer(facts, edition)
    count = {state: sum(each.state == state for each in answers) for state in ("filled", "in part", "person")}
    other = 2020 if edition == 2024 else 2024  # noqa: PLR2004 - a year
    summary = (
        f"Of {len(answers)} items the store fills {count['filled']}, and {count['in part']} in part; {count['person']} are left to "
        "a person. Nothing was made up: what stands under *from the store* was read there. Items are told in our own words; "
        f"read them in {_SOURCES[edition]}."
    )
    lines = [
        f"# CLAIM {edition} for run {plain(facts.run.id)}",
        "",
        f"> {WARNING}",
        "",
        summary,
        "",
        *table(
            (str(edition), str(other), "asks for", "state", "from the store", "left to a person"),
            (
                (
                    str(each.number),
                    "–" if each.also is None else str(each.also),
                    each.asks,
                    each.state,
                    each.told,
                    each.left,
                )
                for each in answers
            ),
        ),
    ]
    return "\n".join(lines) + "\n"
