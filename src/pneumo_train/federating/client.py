"""What a client does when it is asked: it trains on its own films for a while, or looks at those it has held out.

It runs where the films are, in a process of its own for each request. It knows neither the engine nor a store.
"""

import dataclasses
import hashlib
import pickle
import warnings
from pathlib import Path
from typing import Any

import pytorch_lightning as pl

from pneumo_train.cache import cache_folder, load_cached
from pneumo_train.errors import FederationError
from pneumo_train.federating.own import Own
from pneumo_train.federating.plans import Plan, plan_path, read_plan
from pneumo_train.federating.values import Answer, Arrays, Request
from pneumo_train.federating.weights import arrays_of, batch_norms, names_below, put_in
from pneumo_train.fitting.batches import PneumoDataModule
from pneumo_train.fitting.fitting import torch_set_up
from pneumo_train.images.films import Films
from pneumo_train.network.classifier import LitClassifier
from pneumo_train.terminal import quiet_lightning
from runstore.local.whole_files import replacing

_NEVER = 100_000_000


@dataclasses.dataclass(frozen=True, slots=True)
class Client:
    """The work of every client of a federation whose plans lie in one folder.

    Attributes:
        plans: a file for each.
    """

    plans: Path

    def __call__(self, request: Request) -> Answer:
        """Does what is asked."""
        quiet_lightning()
        plan, train, validation = _films_of(plan_path(self.plans, request.client))
        with torch_set_up(plan.config):
            return _Work(plan, train, validation, request).do()


class _HeldNear(pl.Callback):
    """FedProx: the gradient of ``mu / 2 * |w - w_server|²`` is added before each step."""

    def __init__(self, mu: float, model: LitClassifier) -> None:
        self._mu = mu
        self._server = [parameter.detach().clone() for parameter in model.parameters()]

    def on_before_optimizer_step(self, trainer: pl.Trainer, pl_module: pl.LightningModule, optimizer: Any) -> None:  # noqa: ARG002 - the hook's signature
        for parameter, there in zip(pl_module.parameters(), self._server, strict=True):
            if parameter.grad is not None:
                parameter.grad.add_(parameter.detach() - there.to(parameter.device), alpha=self._mu)


@dataclasses.dataclass(frozen=True, slots=True)
class _Work:
    plan: Plan
    train: Films
    validation: Films
    request: Request

    def do(self) -> Answer:
        plan, request = self.plan, self.request
        seed = _seed_of(plan.config.seed, request)
        pl.seed_everything(seed, workers=True, verbose=False)
        # Rates go by the round, not by the few epochs of one; and what a round begins with is the mean of all.
        model = LitClassifier(
            **plan.network
            | {
                "learning_rate": request.learning_rate,
                "min_lr": min(request.learning_rate, plan.network["min_lr"]),
                "schedule": "plateau",
                "warmup_epochs": 0.0,
                "reduce_lr_patience": _NEVER,
                "ema_decay": 0.0,
                "monitor": "val_loss",
            }
        )
        put_in(model, request.arrays)
        self._put_in_own(model)
        data = self._data(seed)
        trainer = self._trainer(model)
        # A client may hold one class only; its AUROC has no value then, which is no news in every round.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if request.task == "evaluate":
                trainer.validate(model, datamodule=data, verbose=False)
                return self._answer(trainer, len(self.validation), {})
            trainer.fit(model, datamodule=data)
        arrays = arrays_of(model)
        if plan.own is not None:
            mine = names_below(batch_norms(model), arrays)
            Own(Path(plan.own)).keep(request.round, {name: arrays[name] for name in mine})
        sent = {name: array for name, array in arrays.items() if name in request.arrays}
        return self._answer(trainer, len(self.train), sent)

    def _put_in_own(self, model: LitClassifier) -> None:
        """Its own batch normalisation in the place of the server's, from the first round on in which it has trained."""
        plan, request = self.plan, self.request
        if plan.own is None:
            return
        is_to_train = request.task == "train"
        mine = Own(Path(plan.own)).read(request.round - is_to_train)
        if mine is not None:
            put_in(model, mine)
        elif not is_to_train:
            raise FederationError(
                f"its own batch normalisation is gone from {plan.own}; it trains anew in the next round"
            )

    def _answer(self, trainer: pl.Trainer, num_examples: int, arrays: Arrays) -> Answer:
        metrics = {name: float(value) for name, value in trainer.callback_metrics.items()}
        return Answer(client=self.plan.client, num_examples=num_examples, metrics=metrics, arrays=arrays)

    def _data(self, seed: int) -> PneumoDataModule:
        config = self.plan.config
        both = {sample.target for sample in self.train.samples} == {0, 1}
        return PneumoDataModule(
            train=self.train,
            validation=self.validation,
            batch_size=config.training.batch_size,
            seed=seed,
            augmentation_strength=config.training.augmentation_strength,
            exposure_strength=config.training.exposure_strength,
            plain_share=config.training.plain_share,
            balanced=config.loss.balanced_batches and both,
        )

    def _trainer(self, model: LitClassifier) -> pl.Trainer:
        training, mu = self.plan.config.training, self.plan.proximal_mu
        return pl.Trainer(
            max_epochs=self.plan.local_epochs,
            accelerator=training.accelerator,
            devices=1,
            precision=training.precision,
            gradient_clip_val=training.gradient_clip_val or None,
            deterministic=training.deterministic,
            callbacks=[_HeldNear(mu, model)] if mu else [],
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            num_sanity_val_steps=0,
            log_every_n_steps=1,
        )


def _seed_of(seed: int, request: Request) -> int:
    """Another for each client in each round, and the same in every process."""
    digest = hashlib.sha256(f"{seed} {request.client} {request.round}".encode()).digest()
    return int.from_bytes(digest[:4], "big")


def _films_of(path: Path) -> tuple[Plan, Films, Films]:
    """A plan and its films, decoded for the first request and kept beside the plan for the next process."""
    plan, kept = read_plan(path), path.with_suffix(".films")
    data, samples = plan.config.data, [*plan.train, *plan.validation]
    if kept.exists():
        films: Films = pickle.loads(kept.read_bytes())  # noqa: S301 - this client has written it
    else:
        folder = cache_folder(data)
        films, _ = load_cached(samples, size=data.image_size, cache_mib=data.cache_mib, folder=folder)
        with replacing(kept, by=kept.with_name(f"{kept.name}.partial")) as partial:
            partial.write_bytes(pickle.dumps(films))
    count = len(plan.train)
    return plan, films.part(0, count), films.part(count, len(samples))
