"""One fitting with Lightning, from decoded films to the best checkpoint. It knows no store."""

import dataclasses
import time
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import EarlyStopping
from pytorch_lightning.utilities.exceptions import MisconfigurationException  # type: ignore[attr-defined]  # re-exported
from pytorch_lightning.utilities.model_summary.model_summary import ModelSummary

from pneumo_train.config.settings import TrainConfig
from pneumo_train.errors import ConfigError, DivergedError
from pneumo_train.fitting.bars import FitProgressBar
from pneumo_train.fitting.batches import PneumoDataModule
from pneumo_train.fitting.checkpoints import BestCheckpoints, Checkpoint, WholeFileIO, file_name_for
from pneumo_train.fitting.divergence import StopWhenDiverged
from pneumo_train.fitting.last import Last, LastCheckpoint, Origin
from pneumo_train.fitting.machine import NO_GPU
from pneumo_train.fitting.outputs import require_room
from pneumo_train.fitting.seeds import SeedsOfEpochs
from pneumo_train.images.quiet import quiet_decoders
from pneumo_train.network.classifier import LitClassifier
from pneumo_train.preparing.reading import DecodedSplit
from pneumo_train.samples import Split


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """How a fitting ended; see :class:`pneumo_train.result.TrainingResult` for the words."""

    best: Checkpoint
    final_metrics: dict[str, float]
    epochs: int
    global_step: int
    state: str
    duration_s: float


class Fitting:
    """A model, its data and its trainer, ready to be fitted once."""

    def __init__(  # noqa: PLR0913 - keyword-only
        self,
        *,
        config: TrainConfig,
        split: Split,
        checkpoint_dir: Path,
        callbacks: Iterable[pl.Callback],
        progress: bool,
        last: Last | None = None,
    ) -> None:
        """Seeds every generator and builds all parts.

        Args:
            config: the whole configuration.
            split: which films are for what.
            checkpoint_dir: of this run alone.
            callbacks: called before Lightning's own early stopping and checkpoints.
            progress: show a progress bar.
            last: what to go on from.

        Raises:
            ConfigError: the network cannot be built so, this machine cannot train so, or the files have no room.
        """
        _require_machine(config)
        pl.seed_everything(config.seed, workers=True, verbose=False)
        self.config = config
        training = config.training
        positives = sum(sample.target for sample in split.train)
        negatives = len(split.train) - positives
        weighs = config.model.class_weighting and not config.loss.balanced_batches
        self.pos_weight = negatives / positives if weighs else 1.0
        self.model = LitClassifier.from_config(config, pos_weight=self.pos_weight)
        # Each of the best ones, the complete last one (AdamW keeps two values for each weight), and one being written.
        weights = 4 * self.parameter_counts["total"]
        require_room(checkpoint_dir, (min(training.save_top_k, training.max_epochs) + 7) * weights, "checkpoint_dir")
        self.summary = str(ModelSummary(self.model, max_depth=2))
        self._checkpoints = BestCheckpoints(
            dirpath=checkpoint_dir,
            filename=file_name_for(training.monitor),
            auto_insert_metric_name=False,
            monitor=training.monitor,
            mode=training.better,
            save_top_k=training.save_top_k,
            save_weights_only=True,
        )
        # The best ones are to be kept and shared: weights alone are a third of the size. The last is to go on from.
        files = WholeFileIO()
        self._last = LastCheckpoint(checkpoint_dir, files)
        self._goes_on_from = last
        own: list[pl.Callback] = [self._checkpoints, self._last]
        if training.early_stopping_patience:
            own.append(
                EarlyStopping(
                    training.monitor,
                    mode=training.better,
                    patience=training.early_stopping_patience,
                    min_delta=training.early_stopping_min_delta,
                    strict=False,  # the checkpoints ask for the metric, in our words
                )
            )
        if progress:
            own.append(FitProgressBar())
        try:
            self._trainer = pl.Trainer(
                max_epochs=last.epochs if last is not None and last.is_finished else training.max_epochs,
                accelerator=training.accelerator,
                devices=1,
                precision=training.precision,
                gradient_clip_val=training.gradient_clip_val or None,
                deterministic=training.deterministic,
                callbacks=[SeedsOfEpochs(config.seed), *callbacks, StopWhenDiverged(config), *own],
                plugins=[files],
                logger=False,
                enable_progress_bar=progress,
                enable_model_summary=False,
                log_every_n_steps=1,
            )
        except (MisconfigurationException, ValueError, OSError) as error:
            raise ConfigError(f"training.accelerator, training.precision: this machine cannot: {error}") from error

    @property
    def parameter_counts(self) -> dict[str, int]:
        """How many parameters there are, and how many of them are trained."""
        sizes = [(parameter.numel(), parameter.requires_grad) for parameter in self.model.parameters()]
        return {
            "total": sum(size for size, _ in sizes),
            "trained": sum(size for size, is_trained in sizes if is_trained),
        }

    def best_checkpoint(self) -> Checkpoint | None:
        """The best checkpoint so far, or ``None`` before the first one was written."""
        return self._checkpoints.best()

    def fit(self, films: DecodedSplit, origin: Origin) -> Fitted:
        """Fits, and then looks once more at the validation part with the best checkpoint.

        Args:
            films: those of the split's training part, then those of its validation part.
            origin: what this training is made of, for its last checkpoint.

        Raises:
            ConfigError: nothing logs the monitored metric.
            DivergedError: the loss is NaN or infinite, or the monitored metric always was.
        """
        start = time.monotonic()
        data = self._data_of(films)
        self._last.origin = origin
        goes_on_from = None if self._goes_on_from is None else self._goes_on_from.path
        self._trainer.fit(self.model, datamodule=data, ckpt_path=goes_on_from)
        epochs, steps, state = self._trainer.current_epoch, self._trainer.global_step, self._trainer.state.status.value
        best = self.best_checkpoint()
        if best is None:
            monitor = self.config.training.monitor
            raise DivergedError(
                f"training.monitor = {monitor!r}: was NaN or infinite in each epoch, so there is no best checkpoint; monitor "
                "another metric, as val_auroc or val_loss"
            )
        (final,) = self._trainer.validate(self.model, datamodule=data, ckpt_path=best.path, verbose=False)
        return Fitted(
            best=best,
            final_metrics={name: float(value) for name, value in final.items()},
            epochs=epochs,
            global_step=steps,
            state=state,
            duration_s=time.monotonic() - start,
        )

    def _data_of(self, films: DecodedSplit) -> PneumoDataModule:
        training = self.config.training
        return PneumoDataModule(
            train=films.train,
            validation=films.validation,
            batch_size=training.batch_size,
            seed=self.config.seed,
            augmentation_strength=training.augmentation_strength,
            exposure_strength=training.exposure_strength,
            plain_share=training.plain_share,
            balanced=self.config.loss.balanced_batches,
            num_workers=training.num_workers,
            first_epoch=0 if self._goes_on_from is None else self._goes_on_from.epochs,
        )


def _require_machine(config: TrainConfig) -> None:
    """Refuses what this machine does not have, before Lightning does so with a traceback or takes something else."""
    training = config.training
    has_gpu = torch.cuda.is_available() or torch.backends.mps.is_available()
    if training.accelerator == "gpu" and not has_gpu:
        raise ConfigError(NO_GPU)
    if training.precision == "16-mixed" and (training.accelerator == "cpu" or not has_gpu):
        raise ConfigError("training.precision = '16-mixed': needs a GPU; on a CPU give bf16-mixed or 32-true")


@contextmanager
def torch_set_up(config: TrainConfig) -> Iterator[None]:
    """The process as this configuration wants it; threads and determinism are put back at the end."""
    threads, is_deterministic = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    benchmark = torch.backends.cudnn.benchmark
    if config.training.threads is not None:
        torch.set_num_threads(config.training.threads)
    try:
        with quiet_decoders():
            # Films come decoded from memory: workers would only cost start-up time.
            warnings.filterwarnings("ignore", message=".*does not have many workers", category=UserWarning)
            # A training that goes on has its checkpoints there.
            warnings.filterwarnings("ignore", message="Checkpoint directory .* exists and is not empty")
            # Lightning 2.6 on torch 2.15; may go when Lightning has moved on.
            warnings.filterwarnings("ignore", message=".*LeafSpec.*is deprecated")
            yield
    finally:
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(is_deterministic)
        torch.backends.cudnn.benchmark = benchmark
