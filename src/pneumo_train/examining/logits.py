"""What a network says of films, in their order."""

from collections.abc import Callable

import numpy as np
import torch

from pneumo_train.evaluating.corruptions import Pixels
from pneumo_train.evaluating.figures import Floats
from pneumo_train.images.films import Films
from pneumo_train.network.classifier import LitClassifier
from pneumo_train.terminal import Track


def logits_of(
    model: LitClassifier,
    films: Films,
    *,
    batch_size: int,
    change: Callable[[Pixels], Pixels] | None = None,
    track: Track = iter,
) -> Floats:
    """The logit of each film, float64 of shape (films,).

    The network is in evaluation mode meanwhile, and is given float32 in [0, 1] as in training, in 32 bits throughout.

    Args:
        model: its answer is the mean of its views, as in training.
        films: what to look at.
        batch_size: films at a time.
        change: what is done to the films before, uint8 of shape (N, size, size).
        track: wraps the iteration, for a progress bar.
    """
    device = next(model.parameters()).device
    was_training = model.training
    model.eval()
    found: list[Floats] = []
    try:
        with torch.inference_mode():
            for start in track(range(0, len(films), batch_size)):
                pixels = np.stack([films[index] for index in range(start, min(start + batch_size, len(films)))])
                images = torch.from_numpy(np.ascontiguousarray(change(pixels) if change else pixels))
                logits = model.logits(images.to(device).unsqueeze(1).float() / 255)
                found.append(logits.double().cpu().numpy())
    finally:
        model.train(was_training)
    return np.concatenate(found) if found else np.zeros(0)
