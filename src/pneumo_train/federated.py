"""The federated trainer: from a source of chest X-rays to a federation's run, with a run for each client below it."""

import dataclasses
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pneumo_train.config.federation import FederationConfig, federation_of
from pneumo_train.config.monitored import VALIDATED, require_logged
from pneumo_train.config.settings import TrainConfig, load_config
from pneumo_train.errors import ConfigError
from pneumo_train.federating.apart import workplace
from pneumo_train.federating.invitations import hosting_of
from pneumo_train.fitting.machine import require_gpu_device
from pneumo_train.fitting.outputs import require_writable
from pneumo_train.needs import FEDERATED, require
from pneumo_train.preparing.reading import Reading, read_source
from pneumo_train.processors import processors
from pneumo_train.samples import Split
from pneumo_train.stores import StoreLike, store_or_opener
from runstore.provenance import gather_provenance
from runstore.training import RunSession
from runstore.values import new_run_id

if TYPE_CHECKING:
    from pneumo_train.federating.flower.hosting import Hosted
    from pneumo_train.federating.network import Network
    from pneumo_train.federating.result import FederationResult
    from pneumo_train.federating.values import Engine, Work

_log = logging.getLogger(__name__)

PACKAGES = ("runstore", "torch", "torchvision", "pytorch-lightning", "torchmetrics", "numpy", "pillow", "flwr")
"""Whose versions are kept with a run."""


class FederatedTrainer:
    """Trains a classifier in rounds at several clients, among which the patients of one source are dealt out.

    It reads, decodes, builds and evaluates as :class:`pneumo_train.CentralizedTrainer` does. The validation part of the
    source is the server's: no client sees it, and it picks the best round. Only the server has a store.
    """

    def __init__(  # noqa: PLR0913 - as the centralized one's; what is new is keyword-only
        self,
        config_path: str | PathLike[str] | None = None,
        checkpoint_dir: str | PathLike[str] = "results/federated_checkpoints",
        logs_dir: str | PathLike[str] = "results/training_logs",
        store: StoreLike = None,
        partition_strategy: str | None = None,
        *,
        config: TrainConfig | None = None,
        federation: FederationConfig | None = None,
        progress: bool = False,
        side_by_side: int | None = None,
        invited: str | PathLike[str] | None = None,
        wait_for_clients: float = 600.0,
    ) -> None:
        """Reads the configuration; opens and makes nothing yet.

        Args:
            config_path: a YAML file, see :func:`pneumo_train.load_config`; the defaults without one.
            checkpoint_dir: the checkpoint of the best round, and the last round to go on from, go to
                ``<checkpoint_dir>/<run id>``.
            logs_dir: kept for the same signature as the centralized trainer's; nothing is written there.
            store: a store, its URL, or ``None`` for the configured one; with none configured, nothing is stored.
            partition_strategy: ``federation.partition``, if it is to be another.
            config: the configuration itself; the file's values are laid over it.
            federation: clients, rounds, strategy and partition.
            progress: show progress bars.
            side_by_side: how many clients work at once; as many as there are processors when not given.
            invited: a folder of keys that ``pneumo-train invite`` has made: the clients are on other machines, with films of
                their own, and the whole source is the server's. ``num_clients`` and ``partition`` are not looked at then.
            wait_for_clients: seconds to wait for those who are invited; with ``min_answers`` of them it begins.

        Raises:
            ConfigError: the configuration file cannot be used, there is no such partition strategy, the folder of keys is none, or
                nobody is to work.
        """
        require_workers(side_by_side)
        self.config = load_config(config_path, base=config)
        self._hosting = None if invited is None else hosting_of(Path(invited))
        self.federation = federation_of(
            dataclasses.asdict(federation or FederationConfig())
            | ({"partition": partition_strategy} if partition_strategy else {})
            | ({} if self._hosting is None else {"num_clients": len(self._hosting.keys)})
        )
        self._wait_for_clients = wait_for_clients
        self._checkpoint_dir = Path(checkpoint_dir)
        self._logs_dir = Path(logs_dir)
        self._store = store
        self._progress = progress
        self._side_by_side = side_by_side or min(processors(), self.federation.num_clients)

    def train(  # noqa: PLR0913 - as the centralized one's
        self,
        source_path: str | PathLike[str],
        experiment_name: str = "pneumonia_detection",
        csv_filename: str | None = None,
        run_id: str | None = None,
        *,
        name: str | None = None,
        parent_run_id: str | None = None,
        tags: Mapping[str, str] | None = None,
        resume: bool = False,
    ) -> "FederationResult":
        """Plays all rounds, and returns how it went.

        Args:
            source_path: a directory or a zip with a metadata CSV and images.
            experiment_name: the experiment under which the runs are kept; made if need be.
            csv_filename: the metadata CSV inside the source, if not the usual one.
            run_id: the id for the federation's run.
            name: of that run, for people.
            parent_run_id: an existing run of the same store that it is a part of.
            tags: short texts by key, kept with it.
            resume: go on with the run of ``run_id``, however it was cut off, from its last round below ``checkpoint_dir``;
                on a CPU with the figures of a federation that was never stopped. A run that has not begun is begun.

        Raises:
            ModuleNotFoundError: Flower is not installed; it comes with the extra ``federated``.
            ConfigError: there is nothing to go on with, or the configuration is not the run's; the network cannot be built as configured, this machine cannot train so, the monitored
                metric is none of a round's, or the folder cannot be written; no run is created.
            SourceError: the source holds no table or no images; no run is created.
            DataError: the table or the images cannot be trained on, or there are too few patients; no run is created.
            RunStoreError: a mistake about the store to mend before training.
            FederationError: a round had too few good answers: the runs have ended, the federation's as failed; or too few of
                those who are invited have joined, or the SuperLink does not start: no run is created.
            DivergedError: the loss became NaN or infinite; the run ended as failed.
            KeyboardInterrupt: Ctrl-C, after the runs were ended as interrupted.
        """
        overrides = {"data.csv_filename": csv_filename} if csv_filename else {}
        config = load_config(overrides=overrides, base=self.config)
        is_named = bool(run_id)
        if resume and not is_named:
            raise ConfigError("resume = True: wants the run to go on with; name it (--run_id RUN)")
        require_logged(config.training.monitor, VALIDATED)
        if self._hosting is None:
            require_site_column(self.federation, config)
        require(FEDERATED)
        run_id = run_id or new_run_id()
        require_gpu_device(config)
        require_writable(self._checkpoint_dir, "checkpoint_dir")
        store = store_or_opener(self._store)
        network = self._network()
        with read_source(source_path, config) as reading:
            session = None if store is None else RunSession(
                store,
                experiment=experiment_name,
                run_id=run_id,
                training_mode="federated",
                parent_run_id=parent_run_id,
                name=name,
                tags=tags,
                source_path=os.fspath(source_path),
                provenance=gather_provenance(packages=PACKAGES, seed=config.seed),
            )  # fmt: skip

            from pneumo_train.federating.leading import Federation  # noqa: PLC0415 - torch is slow to import

            return Federation(
                reading=reading if network is None else _all_held_out(reading),
                federation=self.federation,
                session=session,
                run_id=run_id,
                may_exist=is_named,
                resume=resume,
                checkpoint_dir=self._checkpoint_dir,
                engine_of=self._engine,
                progress=self._progress,
                network=network,
            ).lead(experiment_name, self._logs_dir)

    def _network(self) -> "Network | None":
        """The clients on other machines, if that is where they are."""
        hosting = self._hosting
        if hosting is None:
            return None
        from pneumo_train.federating.flower.hosting import hosted  # noqa: PLC0415 - the extra brings it, and it is slow
        from pneumo_train.federating.network import Network  # noqa: PLC0415 - numpy is slow to import

        def joined() -> "AbstractContextManager[Hosted]":
            return hosted(
                hosting,
                at_least=self.federation.min_answers,
                wait=self._wait_for_clients,
                say=_say if self._progress else _log.info,
            )

        return Network(sorted(hosting.keys), joined)

    @contextmanager
    def _engine(
        self, work: "Work", names: list[str], federation: FederationConfig, trained: frozenset[str]
    ) -> "Iterator[Engine]":
        from pneumo_train.federating.flower.simulation import simulated  # noqa: PLC0415 - the extra brings it, and it is slow

        with (
            workplace(work, side_by_side=self._side_by_side, threads=self.config.training.threads) as apart,
            simulated(
                apart, names, federation, trained=trained, side_by_side=self._side_by_side, stop=apart.stop
            ) as engine,
        ):
            yield engine


def require_workers(side_by_side: int | None) -> None:
    """Refuses to have nobody work.

    Raises:
        ConfigError: says what is wanted.
    """
    if side_by_side is not None and side_by_side < 1:
        raise ConfigError(
            f"side_by_side = {side_by_side}: wanted how many clients work at once, 1 or more; leave it out for one for each processor"
        )


def require_site_column(federation: FederationConfig, config: TrainConfig) -> None:
    """Refuses a partition by site where nothing says of which site a film is.

    Raises:
        ConfigError: says how to name the column.
    """
    if federation.partition == "site" and config.data.site_column is None:
        raise ConfigError(
            "partition = 'site': data.site_column names no column; give the one that says which hospital a film is of "
            "(--data.site_column hospital)"
        )


def _all_held_out(reading: Reading) -> Reading:
    """The same with nothing for training: that lies at the clients."""
    split = reading.split
    return dataclasses.replace(
        reading, split=Split(train=(), validation=(*split.train, *split.validation), test=split.test)
    )


def _say(text: str) -> None:
    click.echo(text, err=True)
