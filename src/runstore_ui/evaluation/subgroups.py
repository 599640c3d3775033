"""The same figures for each part of the cases: hospitals, age bands, sexes."""

from msgspec import Struct

from runstore.predictions import Levels
from runstore_ui.evaluation.decisions import Decision, decide
from runstore_ui.evaluation.intervals import Area, area_under_roc
from runstore_ui.evaluation.ranking import Ranking, ranked_parts


class Subgroup(Struct, frozen=True, kw_only=True):
    """One part of the cases.

    Attributes:
        division: the column that divides them.
        name: its value; ``None`` for the cases of which it is not known.
        count: how many cases.
        positives: how many of them are positive.
        area: under their ROC curve.
        decision: what comes of the threshold.
    """

    division: str
    name: str | None
    count: int
    positives: int
    area: Area
    decision: Decision


def subgroups(ranking: Ranking, divisions: dict[str, Levels], threshold: float) -> list[Subgroup]:
    """Each part of each division that has cases, in the order of the names; what is not known comes last."""
    found = []
    for division, levels in divisions.items():
        count = len(levels.names)
        known = levels.codes
        codes = (
            known if min(known, default=0) >= 0 else type(known)("i", [count if code < 0 else code for code in known])
        )
        for code, part in ranked_parts(ranking, codes).items():
            found.append(
                Subgroup(
                    division=division,
                    name=levels.names[code] if code < count else None,
                    count=len(part.order),
                    positives=sum(part.cases.are_positive[case] for case in part.order),
                    area=area_under_roc(part),
                    decision=decide(part, threshold),
                )
            )
    return found
