"""Films that lie in two parts of a split: equal ones, byte for byte, and nearly equal ones."""

import dataclasses
import itertools
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from pneumo_train.errors import DataError
from pneumo_train.images.films import Films
from pneumo_train.images.sketch import MOST_APART, SIGNS, near_pairs
from pneumo_train.samples import Sample
from pneumo_train.words import shown

_LISTED = 20


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Twin:
    """Two films of different parts.

    Attributes:
        parts: where the one and the other lie.
        films: the one and the other.
    """

    parts: tuple[str, str]
    films: tuple[Sample, Sample]

    def __str__(self) -> str:
        """Both, with their parts."""
        return " and ".join(
            f"{shown(film.path.name)} ({part})" for film, part in zip(self.films, self.parts, strict=True)
        )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Leaks:
    """What is there more than once.

    Attributes:
        groups: how many images are there under several names, in whatever parts.
        labels: how many of them have different labels.
        equal: pairs of different parts that are equal, byte for byte.
        near: pairs of different parts that are nearly equal, as :mod:`pneumo_train.images.sketch` tells it, and not equal.
    """

    groups: int
    labels: int
    equal: tuple[Twin, ...]
    near: tuple[Twin, ...]

    def describe(self) -> dict[str, Any]:
        """The counts, and the first pairs by name."""
        return {
            "equal_images": self.groups,
            "equal_with_different_labels": self.labels,
            "equal_across_parts": len(self.equal),
            "equal_pairs": [str(twin) for twin in self.equal[:_LISTED]],
            "near_across_parts": len(self.near),
            "near_pairs": [str(twin) for twin in self.near[:_LISTED]],
            "near_means": f"at most {MOST_APART} of {SIGNS} signs differ",
        }


def find_leaks(parts: Mapping[str, Films]) -> Leaks:
    """The films of each part compared with those of the others."""
    groups: dict[str, list[Sample]] = defaultdict(list)
    for films in parts.values():
        for sample, found in zip(films.samples, films.hashes, strict=True):
            groups[found].append(sample)
    twins = [group for group in groups.values() if len(group) > 1]
    equal: list[Twin] = []
    near: list[Twin] = []
    for first, second in itertools.combinations(parts, 2):
        for is_equal, pair in _pairs(parts[first], parts[second]):
            (equal if is_equal else near).append(Twin(parts=(first, second), films=pair))
    return Leaks(
        groups=len(twins),
        labels=sum(len(Counter(sample.target for sample in group)) > 1 for group in twins),
        equal=tuple(equal),
        near=tuple(near),
    )


def leak_notes(leaks: Leaks) -> list[str]:
    """What a person should look at: equal films of a test part and another, and nearly equal ones. A sentence each.

    Of equal ones in the training and in the validation part :func:`pneumo_train.sources.patients.twin_notes` tells.
    """
    tested = [twin for twin in leaks.equal if "test" in twin.parts]
    notes = [_sentence(tested, "are in")] if tested else []
    if leaks.near:
        notes.append(f"{_sentence(leaks.near, 'look nearly like one of')}: if they are copies, keep one of each")
    return notes


def refuse_leaks(leaks: Leaks) -> None:
    """Refuses equal and nearly equal films in two parts.

    Raises:
        DataError: names the first two, and how many there are.
    """
    for twins, how in ((leaks.equal, "are in"), (leaks.near, "look nearly like one of")):
        if twins:
            raise DataError(
                f"{_sentence(twins, how)}: a score on them is no score of unseen images; keep one of each, or name the column that "
                "says whose they are (--data.patient_column), or allow it (--data.equal_images warn)"
            )


def _sentence(twins: Sequence[Twin], how: str) -> str:
    """How many films of one part do what to another part, with the first two."""
    parts = twins[0].parts
    alike = [twin for twin in twins if twin.parts == parts]
    count = len({twin.films[1].path for twin in alike})
    learnt, held_out = ("training" if part == "train" else part for part in parts)
    manner = ", too, byte for byte" if how == "are in" else ""
    return f"{count:,} images of the {held_out} part {how} the {learnt} part{manner}, as {twins[0]}"


def _pairs(first: Films, second: Films) -> list[tuple[bool, tuple[Sample, Sample]]]:
    """The positions of what is alike, once each."""
    places: dict[str, list[int]] = defaultdict(list)
    for place, found in enumerate(second.hashes):
        places[found].append(place)
    found_pairs = {(here, there): True for here, found in enumerate(first.hashes) for there in places.get(found, ())}
    if first.sketches is not None and second.sketches is not None:
        for pair in near_pairs(first.sketches, second.sketches):
            found_pairs.setdefault(pair, False)
    return [(is_equal, (first.samples[here], second.samples[there])) for (here, there), is_equal in found_pairs.items()]
