"""From images to rows of answers, a batch at a time: what is kept in memory does not grow with their number."""

import dataclasses
import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from pneumo_train.errors import DataError
from pneumo_train.images.film import GreyArray, check_film, read_film
from pneumo_train.images.quiet import quiet_decoders
from pneumo_train.predicting.images import Images, Named, called
from pneumo_train.predicting.stored import StoredModel
from pneumo_train.processors import processors
from pneumo_train.showing.attention import Maps, grad_cam
from pneumo_train.showing.sheets import overlay

POSITIVE, NEGATIVE = "pneumonia", "normal"
_MOST_THREADS = 8


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What there is to say of an image.

    Attributes:
        name: the image's.
        probability: of pneumonia, after temperature and shift; ``None`` where there is an error.
        decision: ``pneumonia`` or ``normal``; empty where there is an error.
        error: why there is no answer.
        overlay: the file of its Grad-CAM, if one was asked for.
    """

    name: str
    probability: float | None = None
    decision: str = ""
    error: str = ""
    overlay: str = ""


def predict(
    stored: StoredModel, images: Images, *, batch_size: int = 32, overlays: Path | None = None
) -> Iterator[Answer]:
    """The answer to each image, in their order.

    Args:
        stored: the network and how its answers are meant.
        images: what it looks at.
        batch_size: so many at a time.
        overlays: a folder for Grad-CAM overlays, PNG files of the network's own size, numbered in the order of the images.
    """
    count = 0
    with ThreadPoolExecutor(max_workers=min(_MOST_THREADS, processors())) as pool:
        for batch in images.batches(batch_size):
            with quiet_decoders():
                read = list(pool.map(lambda named: _read(named, stored.size), batch))
            films = [film for film in read if not isinstance(film, str)]
            answered = _answers(stored, films, with_maps=overlays is not None) if films else iter(())
            for named, film in zip(batch, read, strict=True):
                count += 1
                if isinstance(film, str):
                    yield Answer(name=named.name, error=film)
                    continue
                probability, cam = next(answered)
                if math.isnan(probability):
                    yield Answer(name=named.name, error="the network's answer is not a number")
                    continue
                place = ""
                if overlays is not None and cam is not None:
                    place = called(_write(overlay(film, cam), overlays / f"{count:06d}-{Path(named.name).stem}.png"))
                decision = POSITIVE if probability >= stored.decision.threshold else NEGATIVE
                yield Answer(name=named.name, probability=probability, decision=decision, overlay=place)


def _read(named: Named, size: int) -> GreyArray | str:
    """The film, or why it cannot be read."""
    if named.trouble:
        return named.trouble
    try:
        data = named.path.read_bytes()
        check_film(data)
        return read_film(data, size=size)
    except OSError as error:
        return error.strerror or str(error)
    except DataError as error:
        return str(error)


def _answers(stored: StoredModel, films: list[GreyArray], *, with_maps: bool) -> Iterator[tuple[float, "Maps | None"]]:
    device = next(stored.model.parameters()).device
    pixels = torch.from_numpy(np.stack(films)).to(device).unsqueeze(1).float() / 255
    with torch.inference_mode():
        logits = stored.model.logits(pixels).double().cpu() / stored.decision.temperature + stored.decision.shift
    probabilities = torch.sigmoid(logits)
    maps: Maps | None = None
    if with_maps:
        signs = torch.where(probabilities >= stored.decision.threshold, 1.0, -1.0).float()
        _, maps = grad_cam(stored.model, pixels, signs=signs.to(device))
    for index, probability in enumerate(probabilities.tolist()):
        yield probability, None if maps is None else maps[index]


def _write(pixels: "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]", path: Path) -> Path:
    Image.fromarray(pixels).save(path)
    return path
