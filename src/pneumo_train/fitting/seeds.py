"""Where each epoch draws its chance from: its own number, so that one that is trained again draws the same."""

import numpy as np
import pytorch_lightning as pl


def seed_of(*parts: int) -> int:
    """A seed of 32 bits for a place in a training; places that are near have seeds that have nothing in common.

    Args:
        parts: what names the place: the training's seed, the epoch, the batch.
    """
    return int(np.random.SeedSequence(parts).generate_state(1)[0])


class SeedsOfEpochs(pl.Callback):
    """Seeds every generator anew when an epoch begins: no state of theirs has to be kept to go on with a training."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:  # noqa: ARG002 - the hook's signature
        """Seeds them by the epoch."""
        pl.seed_everything(seed_of(self._seed, trainer.current_epoch), workers=True, verbose=False)
