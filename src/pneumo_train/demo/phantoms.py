"""Drawn chest films for demos and tests: seeded, free of anybody's data, in the RSNA-processed layout.

A phantom has a trunk, lungs, ribs, clavicles, a spine, a heart, hila, vessels and diaphragms, with a patient's own
proportions and a film's own exposure, position, blur and noise. Positives hold one to three soft, irregular opacities
in the lungs. Negatives and positives alike may hold what is bright and harmless: a pacemaker, wires, breast shadows,
nipples, small calcified nodules; so the mean brightness of a film tells next to nothing of its label.

These are no radiographs: nothing learnt from them says anything about patients.
"""

import csv
import dataclasses
from collections.abc import Callable, Iterable
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

FloatArray = npt.NDArray[np.float64]
GreyArray = npt.NDArray[np.uint8]

COLUMNS = (
    "patientId", "x", "y", "width", "height", "Target", "class", "age", "sex", "modality", "position", "source_patient",
)  # fmt: skip
"""Of the table: the columns of the RSNA stage-2 metadata, and whose film it is."""

_LUNG = 0.20
_TISSUE = 0.62


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """Where an opacity lies, in pixels from the upper left."""

    x: int
    y: int
    width: int
    height: int


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Body:
    """A patient's proportions, in half-widths of the film; x grows to the film's right, y downwards."""

    trunk: float
    lung_width: float
    lung_height: float
    lung_top: float
    apart: float
    dome: float
    heart: float
    heart_tilt: float
    rib_count: int
    rib_phase: float
    rib_drop: float
    rib_strength: float
    breasts: float
    pacemaker: bool

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "_Body":
        return cls(
            trunk=rng.uniform(0.86, 1.02),
            lung_width=rng.uniform(0.30, 0.37),
            lung_height=rng.uniform(0.60, 0.74),
            lung_top=rng.uniform(-0.80, -0.68),
            apart=rng.uniform(0.40, 0.46),
            dome=rng.uniform(0.02, 0.09),
            heart=rng.uniform(0.27, 0.37),
            heart_tilt=rng.uniform(0.3, 0.7),
            rib_count=int(rng.integers(8, 11)),
            rib_phase=rng.uniform(0, 1),
            rib_drop=rng.uniform(0.30, 0.60),
            rib_strength=rng.uniform(0.05, 0.11),
            breasts=rng.uniform(0.04, 0.12) if rng.random() < 0.4 else 0.0,  # noqa: PLR2004 - a frequency
            pacemaker=bool(rng.random() < 0.08),  # noqa: PLR2004 - a frequency
        )


def draw_phantom(
    *, seed: int, patient: int, film: int, is_positive: bool, size: int = 128
) -> tuple[GreyArray, tuple[Box, ...]]:
    """A film and the boxes of its opacities; the same arguments draw the same film on every machine.

    Returns:
        uint8 of shape (size, size), and one box for each opacity: none for a negative.
    """
    body = _Body.draw(np.random.default_rng([seed, patient]))
    rng = np.random.default_rng([seed, patient, film + 1])
    x, y = _grid(size, rng)
    lungs = _lungs(body, x, y)
    image = _anatomy(body, x, y, lungs, rng)
    boxes: list[Box] = []
    if is_positive:
        for _ in range(int(rng.choice([1, 2, 3], p=[0.5, 0.35, 0.15]))):
            opacity, box = _opacity(body, x, y, lungs, rng)
            image = image + opacity * (0.85 - image)
            boxes.append(box)
    image = _distractors(body, x, y, image, rng)
    return _expose(image, x, y, rng), tuple(boxes)


def write_phantoms(  # noqa: PLR0913 - keyword-only
    directory: str | PathLike[str],
    *,
    patients: int = 220,
    films_per_patient: int = 3,
    positive_share: float = 0.45,
    size: int = 128,
    seed: int = 7,
    track: Callable[[Iterable[Any]], Iterable[Any]] = iter,
) -> Path:
    """Writes a data set of phantoms and returns its directory.

    ``stage2_train_metadata.csv`` has one row for each opacity, as the RSNA metadata have one for each box, and one for
    each negative film; ``source_patient`` says whose film it is. The films are ``Training/Images/<patientId>.png``.

    Args:
        directory: made if need be; files of the same names are overwritten.
        patients: how many patients.
        films_per_patient: at most so many films of each.
        positive_share: the share of patients with opacities.
        size: side of a film in pixels.
        seed: of everything.
        track: wraps the iteration over patients, for a progress bar.
    """
    root = Path(directory)
    folder = root / "Training" / "Images"
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng([seed])
    positives = set(rng.permutation(patients)[: round(positive_share * patients)].tolist())
    rows: list[tuple[object, ...]] = []
    for patient in track(range(patients)):
        is_positive = patient in positives
        about = (int(rng.integers(18, 90)), str(rng.choice(["F", "M"])), "CR", str(rng.choice(["AP", "PA"])))
        for film in range(int(rng.integers(1, films_per_patient + 1))):
            name = f"phantom-{patient:05d}-{film}"
            pixels, boxes = draw_phantom(seed=seed, patient=patient, film=film, is_positive=is_positive, size=size)
            Image.fromarray(pixels).save(folder / f"{name}.png")
            label = (1, "Lung Opacity") if is_positive else (0, "Normal")
            places: list[tuple[object, ...]] = [(box.x, box.y, box.width, box.height) for box in boxes]
            rows.extend((name, *place, *label, *about, f"phantom-{patient:05d}") for place in places or [("",) * 4])
    with (root / "stage2_train_metadata.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows)
    return root


def _grid(size: int, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Coordinates of the pixels in the body's frame: the film is turned, shifted and scaled a little."""
    axis = (np.arange(size) + 0.5) / size * 2 - 1
    x, y = np.meshgrid(axis, axis)
    angle, scale = rng.normal(0, 0.03), rng.uniform(0.95, 1.06)
    shift_x, shift_y = rng.normal(0, 0.03, size=2)
    return (
        scale * (np.cos(angle) * x + np.sin(angle) * y) + shift_x,
        scale * (-np.sin(angle) * x + np.cos(angle) * y) + shift_y,
    )


def _step(distance: FloatArray, softness: float) -> FloatArray:
    """1 where the distance is well below 0, 0 well above, with a soft edge."""
    scaled: FloatArray = 1.0 / (1.0 + np.exp(np.clip(distance / softness, -40, 40)))
    return scaled


def _noise(shape: tuple[int, ...], cells: int, rng: np.random.Generator) -> FloatArray:
    """Smooth noise of mean 0 and deviation about 1, with that many cells across."""
    coarse = Image.fromarray(rng.normal(size=(cells, cells)).astype(np.float32))
    return np.asarray(coarse.resize((shape[1], shape[0]), Image.Resampling.BICUBIC), dtype=np.float64)


def _lungs(body: _Body, x: FloatArray, y: FloatArray) -> FloatArray:
    """How much of each pixel is lung: 0 to 1."""
    fields = np.zeros_like(x)
    for side in (-1, 1):
        bottom = body.lung_top + 2 * body.lung_height + (0.05 if side > 0 else 0.0)
        middle = (body.lung_top + bottom) / 2
        down = (y - middle) / ((bottom - body.lung_top) / 2)
        # Narrow at the apex, wide at the base, the inner border nearly straight.
        width = body.lung_width * (0.80 + 0.26 * np.clip(down, -1, 1))
        across = (x - side * (body.apart - 0.06 * np.clip(-down, 0, 1))) / width
        outline = np.abs(across) ** 2.6 + np.abs(np.minimum(down, 0.35) / 1.0) ** 2.8 - 1
        floor = bottom - 0.10 + body.dome * 4 * (across**2 - 0.5) - 0.05
        fields = np.maximum(fields, _step(outline, 0.07) * _step(y - floor, 0.018))
    return fields


def _anatomy(
    body: _Body, x: FloatArray, y: FloatArray, lungs: FloatArray, rng: np.random.Generator
) -> FloatArray:  # fmt: skip
    """The film without illness: brighter is denser, about 0 to 1."""
    shoulders = body.trunk * (0.36 + 0.64 * _step(-(y + 0.78), 0.07))
    trunk = _step(np.abs(x) - shoulders, 0.035)
    image = _TISSUE * trunk * (0.9 + 0.1 * _step(np.abs(x) - 0.7, 0.1)) + 0.02
    abdomen = _step(-(y - 0.62), 0.08)
    image += 0.14 * trunk * abdomen

    markings = 0.022 * _noise(x.shape, 9, rng) + 0.016 * _noise(x.shape, 20, rng)
    hilum = np.minimum(np.hypot(x + 0.17, y + 0.10), np.hypot(x - 0.19, y + 0.14))
    vessels = np.abs(_noise(x.shape, 13, rng))
    image += lungs * (_LUNG - image + markings + 0.10 * np.exp(-((hilum / 0.30) ** 2)) * (1.2 - vessels))
    image += 0.10 * np.exp(-((hilum / 0.10) ** 2))

    spine = _step(np.abs(x) - 0.085, 0.025)
    image += spine * (0.09 + 0.035 * np.cos(2 * np.pi * (y * 5.5 + body.rib_phase)))
    image -= 0.16 * _step(np.abs(x + 0.01) - 0.038, 0.014) * _step(y + 0.36, 0.05) * trunk
    image += lungs * _step(np.abs(x) - 0.14, 0.03) * 0.30

    along, beyond = _turned(x - 0.12, y - 0.28, body.heart_tilt)
    heart = _step((along / (body.heart * 1.25)) ** 2 + (beyond / (body.heart * 0.95)) ** 2 - 1, 0.08)
    image += heart * lungs * (_TISSUE + 0.03 - image)
    aorta = _step(np.hypot(x - 0.12, (y + 0.33) * 0.8) / 0.11 - 1, 0.12)
    image += aorta * lungs * 0.6 * (_TISSUE - image)
    return image + _bones(body, x, y, trunk)


def _bones(body: _Body, x: FloatArray, y: FloatArray, trunk: FloatArray) -> FloatArray:
    """Ribs and clavicles."""
    across = np.abs(x)
    cage = _step(across - 0.84 * body.trunk, 0.03) * _step(-(across - 0.07), 0.02)
    ribs = np.zeros_like(x)
    for index in range(body.rib_count):
        start = -0.80 + (index + 0.6 * body.rib_phase) * 1.42 / body.rib_count
        back = start - 0.16 * np.sin(np.clip(across / 0.8, 0, 1) * np.pi * 0.75) + body.rib_drop * across**2.2
        distance = np.abs(y - back) - 0.028
        ribs += _step(distance, 0.008) + 0.6 * np.exp(-((distance / 0.010) ** 2))
        front = start + 0.42 - 0.38 * (across - 0.15)
        ribs += 0.35 * _step(np.abs(y - front) - 0.030, 0.012) * _step(-(across - 0.34), 0.05)
    clavicle = np.abs(y + 0.66 + 0.20 * across - 0.10 * np.sin(across * 4)) - 0.030
    collar = _step(clavicle, 0.010) * _step(across - 0.74, 0.03) * _step(-(across - 0.10), 0.02)
    bones: FloatArray = trunk * (body.rib_strength * ribs * cage + 0.13 * collar)
    return bones


def _opacity(
    body: _Body, x: FloatArray, y: FloatArray, lungs: FloatArray, rng: np.random.Generator
) -> tuple[FloatArray, Box]:
    """A soft, irregular shadow inside a lung, 0 to 1, and its box."""
    side = rng.choice([-1.0, 1.0])
    low = body.lung_top + 0.3 * body.lung_height
    high = body.lung_top + 1.65 * body.lung_height
    centre_x = side * (body.apart + rng.uniform(-0.12, 0.14))
    centre_y = rng.uniform(low, high) if rng.random() < 0.4 else rng.uniform((low + high) / 2, high)  # noqa: PLR2004 - lower lobes more often
    radius = rng.uniform(0.15, 0.28)
    along, beyond = _turned(x - centre_x, y - centre_y, rng.uniform(0, np.pi))
    distance = np.sqrt((along / radius) ** 2 + (beyond / (radius * rng.uniform(0.6, 1.0))) ** 2)
    shape = _step(distance - 1 + 0.30 * _noise(x.shape, 9, rng), 0.16)
    patchy = np.clip(0.85 + 0.25 * _noise(x.shape, 16, rng), 0.3, 1.2)
    opacity: FloatArray = np.clip(rng.uniform(0.40, 0.72) * shape * patchy * lungs, 0, 1)
    inside = np.argwhere(opacity > 0.3 * opacity.max())
    (top, left), (bottom, right) = inside.min(axis=0).tolist(), inside.max(axis=0).tolist()
    return opacity, Box(x=left, y=top, width=right - left + 1, height=bottom - top + 1)


def _distractors(
    body: _Body, x: FloatArray, y: FloatArray, image: FloatArray, rng: np.random.Generator
) -> FloatArray:  # fmt: skip
    """What is bright and harmless, whatever the label."""
    for side in (-1, 1):
        breast = _step(np.hypot((x - side * 0.46) / 0.34, (y - 0.34) / 0.26) - 1, 0.12)
        image = image + body.breasts * breast
        if rng.random() < 0.25:  # noqa: PLR2004 - a frequency
            nipple = np.hypot(x - side * rng.uniform(0.40, 0.50), y - rng.uniform(0.28, 0.40))
            image = image + 0.10 * _step(nipple - 0.030, 0.008)
    for _ in range(int(rng.integers(0, 3))):
        nodule = np.hypot(x - rng.uniform(-0.65, 0.65), y - rng.uniform(-0.6, 0.4))
        image = image + rng.uniform(0.10, 0.25) * _step(nodule - rng.uniform(0.015, 0.035), 0.006)
    if rng.random() < 0.30:  # noqa: PLR2004 - a frequency
        wire = np.abs(x - rng.uniform(-0.6, 0.6) - 0.25 * np.sin(2.2 * y + rng.uniform(0, 6)))
        image = image + 0.22 * np.exp(-((wire / 0.010) ** 2))
    if body.pacemaker:
        across, down = np.abs(x - 0.52) / 0.13, np.abs(y + 0.42) / 0.10
        image = image + 0.35 * _step((across**4 + down**4) ** 0.25 - 1, 0.04)
    return image


def _expose(image: FloatArray, x: FloatArray, y: FloatArray, rng: np.random.Generator) -> GreyArray:
    """The film as it comes out of the machine: haze, exposure, gamma, blur, grain, a side marker."""
    haze = rng.normal(0, 0.03) * x + rng.normal(0, 0.03) * y + 0.020 * _noise(x.shape, 4, rng)
    film = np.clip((image + haze) * rng.uniform(0.85, 1.15) + rng.normal(0, 0.03), 0, 1) ** rng.uniform(0.80, 1.25)
    blurred = np.array(film)
    for axis in (0, 1):
        neighbours = (np.roll(blurred, 1, axis=axis) + np.roll(blurred, -1, axis=axis)) / 2
        blurred = blurred + rng.uniform(0.2, 0.5) * (neighbours - blurred)
    grain = rng.normal(0, rng.uniform(0.010, 0.028), size=film.shape) * (0.6 + 0.6 * np.sqrt(np.clip(film, 0, 1)))
    film = blurred + grain
    if rng.random() < 0.6:  # noqa: PLR2004 - a frequency
        corner = np.maximum(np.abs(x - 0.80) / 0.045, np.abs(y + 0.86) / 0.06)
        film = np.where((corner < 1) & ((np.abs(x - 0.77) < 0.016) | (np.abs(y + 0.82) < 0.018)), 0.97, film)  # noqa: PLR2004 - the strokes of an L
    grey: GreyArray = (np.clip(film, 0, 1) * 255).round().astype(np.uint8)
    return grey


def _turned(x: FloatArray, y: FloatArray, angle: float) -> tuple[FloatArray, FloatArray]:
    return np.cos(angle) * x + np.sin(angle) * y, -np.sin(angle) * x + np.cos(angle) * y
