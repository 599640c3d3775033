"""The same figures for each part of the cases: hospitals, age bands, sexes."""

from collections import Counter

from msgspec import Struct

from runstore.predictions import Levels
from runstore_ui.evaluation.intervals import Area, area_under_roc
from runstore_ui.evaluation.ranking import Ranking, ranked_parts


class Subgroup(Struct, frozen=True, kw_only=True):
    """One part of the cases.

    Attributes:
        division: the column that divides them.
        name: its value; ``None`` for the cases of which it is not known.
        ranking: its cases by their scores.
        area: under their ROC curve.
    """

    division: str
    name: str | None
    ranking: Ranking
    area: Area

    @property
    def count(self) -> int:
        """How many cases it has."""
        return len(self.ranking.order)

    @property
    def positives(self) -> int:
        """How many of them are positive."""
        return sum(map(self.ranking.cases.are_positive.__getitem__, self.ranking.order))


def subgroups(ranking: Ranking, divisions: dict[str, Levels], *, most: int = 20) -> list[Subgroup]:
    """The parts of each division that have cases, in the order of the names; what is not known comes last.

    Args:
        ranking: all cases.
        divisions: the columns to divide by.
        most: so many parts of a division are looked at: those with the most cases.
    """
    found = []
    rows = ranking.cases.rows
    for division, levels in divisions.items():
        count = len(levels.names)
        known = levels.codes
        codes = (
            known if min(known, default=0) >= 0 else type(known)("i", [count if code < 0 else code for code in known])
        )
        sizes = Counter(codes[row] for row in rows)
        if len(sizes) > most:
            kept = {code for code, _ in sorted(sizes.items(), key=lambda size: (-size[1], size[0]))[:most]}
            codes = type(known)("i", [code if code in kept else -1 for code in codes])
        found += [
            Subgroup(
                division=division,
                name=levels.names[code] if code < count else None,
                ranking=part,
                area=area_under_roc(part),
            )
            for code, part in ranked_parts(ranking, codes).items()
        ]
    return found
