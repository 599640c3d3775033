"""What is learnt from: one image with its label, and which of them lie in which part."""

import dataclasses
import hashlib
from pathlib import Path


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One image with its label.

    Attributes:
        image_id: as the table names it.
        path: the image's file.
        target: 1 with pneumonia, 0 without.
        patient: whose image it is.
        part: ``train``, ``validation`` or ``test`` when the table says so.
        site: which hospital it is of, when the table says so.
    """

    image_id: str
    path: Path
    target: int
    patient: str
    part: str | None = None
    site: str | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Samples for training, for validation and for a test, with no patient in two of them."""

    train: tuple[Sample, ...]
    validation: tuple[Sample, ...]
    test: tuple[Sample, ...] = ()

    @property
    def left_out(self) -> int:
        """How many samples are kept for a test, and out of training."""
        return len(self.test)

    def parts(self) -> dict[str, tuple[Sample, ...]]:
        """The samples of each part that has any."""
        named = {"train": self.train, "validation": self.validation, "test": self.test}
        return {name: samples for name, samples in named.items() if samples}

    def digest(self) -> str:
        """SHA-256 (hex) of which image is for training and which for validation, in any order of rows."""
        lines = [f"train {sample.image_id}" for sample in self.train]
        lines += [f"validation {sample.image_id}" for sample in self.validation]
        return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()

    def describe(self) -> dict[str, dict[str, int]]:
        """How many images, patients and positive images each part holds that has any."""
        return {
            name: {
                "images": len(samples),
                "patients": len({sample.patient for sample in samples}),
                "positives": sum(sample.target for sample in samples),
            }
            for name, samples in self.parts().items()
        }

    def given(self) -> list[str]:
        """The parts that the table, its folders or a file have said; the others were drawn."""
        return [name for name, samples in self.parts().items() if all(sample.part == name for sample in samples)]
