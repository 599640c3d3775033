"""The split by patient.

The RSNA metadata hold one row per box, not per image: splitting rows puts 57-59 % of the positive validation rows
beside rows of the same patient in the training part. Here a patient's samples stay together.
"""

import random
from collections import Counter
from collections.abc import Iterable, Sequence

from pneumo_train.config.data import DataConfig
from pneumo_train.errors import DataError
from pneumo_train.samples import Sample, Split

_SHOWN = 3


def split_samples(samples: Sequence[Sample], config: DataConfig, *, seed: int, origin: str = "the table") -> Split:
    """The split by patient: as given by the split column, else drawn by the seed and stratified by patient.

    A patient is positive when any image is. The same samples and seed give the same split in any order of rows.

    Raises:
        DataError: a part would be empty or hold one class only, or a given split cuts a patient in two.
    """
    where = f"{origin} ({len(samples):,} images)"
    _require_both_classes(samples, where, "add images of the other class, or look at data.target_column")
    if config.sample_fraction < 1:
        chosen = _draw_patients(samples, config.sample_fraction, random.Random(seed))  # noqa: S311 - reproducible, not secret
        samples = [sample for sample in samples if sample.patient in chosen]
    parts = {name: tuple(s for s in samples if s.part == name) for name in ("train", "validation", "test")}
    if config.split_column is not None and (parts["validation"] or not parts["test"]):
        split = Split(train=parts["train"], validation=parts["validation"], left_out=len(parts["test"]))
    else:  # a table that names a test part alone leaves the rest to be drawn from
        samples = [sample for sample in samples if sample.part != "test"]
        held_out = _draw_patients(samples, config.validation_fraction, random.Random(seed + 1))  # noqa: S311 - as above
        split = Split(
            train=tuple(sample for sample in samples if sample.patient not in held_out),
            validation=tuple(sample for sample in samples if sample.patient in held_out),
            left_out=len(parts["test"]),
        )
    advice = "use more patients, another seed, or another validation_fraction, sample_fraction or split_column"
    for name, part in (("train", split.train), ("validation", split.validation)):
        if not part:
            raise DataError(f"{where}: the {name} part of the split is empty; {advice}")
        _require_both_classes(part, f"{where}: the {name} part ({len(part):,} images)", advice)
    _require_disjoint(split, where)
    return split


def _draw_patients(samples: Iterable[Sample], fraction: float, rng: random.Random) -> set[str]:
    """That share of the patients of each label, at least one, and never all of a label that has two or more."""
    labels: dict[str, int] = {}
    for sample in samples:
        labels[sample.patient] = max(sample.target, labels.get(sample.patient, 0))
    drawn: set[str] = set()
    for label in (0, 1):
        patients = sorted(patient for patient, value in labels.items() if value == label)
        rng.shuffle(patients)
        count = min(max(1, round(fraction * len(patients))), max(1, len(patients) - 1))
        drawn.update(patients[:count])
    return drawn


def _require_both_classes(samples: Iterable[Sample], where: str, advice: str) -> None:
    counts = Counter(sample.target for sample in samples)
    if len(counts) == 1:
        (only,) = counts
        raise DataError(f"{where}: every target is {only}; a classifier needs both 0 and 1: {advice}")


def _require_disjoint(split: Split, where: str) -> None:
    shared = {sample.patient for sample in split.train} & {sample.patient for sample in split.validation}
    if shared:
        raise DataError(
            f"{where}: the given split cuts {len(shared):,} patients in two, as {', '.join(sorted(shared)[:_SHOWN])}; "
            "keep all images of a patient in one part (or look at data.patient_column)"
        )
