"""The split by patient.

The RSNA metadata hold one row per box, not per image: splitting rows puts 57-59 % of the positive validation rows
beside rows of the same patient in the training part. Here a patient's samples stay together.
"""

import itertools
import random
from collections import Counter
from collections.abc import Iterable, Sequence

from pneumo_train.config.data import DataConfig
from pneumo_train.errors import ConfigError, DataError
from pneumo_train.samples import Sample, Split

_SHOWN = 3


def split_samples(
    samples: Sequence[Sample], config: DataConfig, *, seed: int, origin: str = "the table", one_class: bool = False
) -> Split:
    """The split by patient: as given by the split column or file, else drawn by the seed and stratified by patient.

    A patient is positive when any image is. The same samples and seed give the same split in any order of rows.

    Args:
        samples: what is split.
        config: how.
        seed: of what is drawn.
        origin: where they come from, for errors.
        one_class: whether a part may hold one class only, as that of a hospital among others.

    Raises:
        DataError: a part would be empty or hold one class only, or a given split cuts a patient in two.
        ConfigError: a part is to be drawn that is given.
    """
    where = f"{origin} ({len(samples):,} images)"
    if not one_class:
        _require_both_classes(samples, where, "add images of the other class, or look at data.target_column")
    if config.sample_fraction < 1:
        chosen = _draw_patients(samples, config.sample_fraction, random.Random(seed))  # noqa: S311 - reproducible, not secret
        samples = [sample for sample in samples if sample.patient in chosen]
    split = _given(samples, config) or _drawn(samples, config, seed)
    advice = "use more patients, another seed, or another validation_fraction, sample_fraction or split_column"
    for name, part in (("train", split.train), ("validation", split.validation)):
        if not part:
            raise DataError(f"{where}: the {name} part of the split is empty; {advice}")
        if not one_class:
            _require_both_classes(part, f"{where}: the {name} part ({len(part):,} images)", advice)
    _require_disjoint(split, where)
    return split


def _given(samples: Sequence[Sample], config: DataConfig) -> Split | None:
    """The split that a column or a file gives; ``None`` where the validation part is to be drawn."""
    if config.split_column is None and config.split_file is None:
        return None
    key = "data.split_file" if config.split_file else "data.split_column"
    parts = {name: tuple(s for s in samples if s.part == name) for name in ("train", "validation", "test")}
    if config.test_fraction and parts["test"]:
        raise ConfigError(
            f"data.test_fraction = {config.test_fraction}: {key} gives a test part already; leave out the one or the other"
        )
    if not parts["validation"] and (parts["test"] or config.folds) and config.split_file is None:
        return None
    if config.folds or config.test_fraction:
        raise ConfigError(f"data.folds, data.test_fraction: {key} gives the parts; leave out the one or the other")
    return Split(train=parts["train"], validation=parts["validation"], test=parts["test"])


def _drawn(samples: Sequence[Sample], config: DataConfig, seed: int) -> Split:
    """The test part, unless it is given, then the validation part from the others; the rest is for training."""
    test = tuple(sample for sample in samples if sample.part == "test")
    if config.test_fraction:
        drawn = _draw_patients(samples, config.test_fraction, random.Random(seed + 2))  # noqa: S311 - reproducible, not secret
        test = tuple(sample for sample in samples if sample.patient in drawn)
    kept = {sample.image_id for sample in test}
    rest = [sample for sample in samples if sample.image_id not in kept]
    rng = random.Random(seed + 1)  # noqa: S311 - as above
    held_out = (
        _fold_of_patients(rest, config.folds, config.fold, rng)
        if config.folds
        else _draw_patients(rest, config.validation_fraction, rng)
    )
    return Split(
        train=tuple(sample for sample in rest if sample.patient not in held_out),
        validation=tuple(sample for sample in rest if sample.patient in held_out),
        test=test,
    )


def _fold_of_patients(samples: Iterable[Sample], folds: int, fold: int, rng: random.Random) -> set[str]:
    """The patients of one fold: those of each label are dealt out in turn, so that every patient lies in one fold."""
    dealt: list[str] = []
    for patients in _by_label(samples):
        rng.shuffle(patients)
        dealt += patients
    return set(dealt[fold::folds])


def _by_label(samples: Iterable[Sample]) -> list[list[str]]:
    """The patients without a positive image, and those with one, each in order."""
    labels: dict[str, int] = {}
    for sample in samples:
        labels[sample.patient] = max(sample.target, labels.get(sample.patient, 0))
    return [sorted(patient for patient, value in labels.items() if value == label) for label in (0, 1)]


def _draw_patients(samples: Iterable[Sample], fraction: float, rng: random.Random) -> set[str]:
    """That share of the patients of each label, at least one, and never all of a label that has two or more."""
    drawn: set[str] = set()
    for patients in _by_label(samples):
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
    patients = {name: {sample.patient for sample in samples} for name, samples in split.parts().items()}
    for first, second in itertools.combinations(patients, 2):
        if shared := patients[first] & patients[second]:
            raise DataError(
                f"{where}: the given split cuts {len(shared):,} patients in two, as {', '.join(sorted(shared)[:_SHOWN])} "
                f"({first} and {second}); keep all images of a patient in one part (or look at data.patient_column)"
            )
