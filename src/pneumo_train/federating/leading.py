"""One federation led from a source that was read to runs that ended truthfully. The part that needs torch."""

import dataclasses
import logging
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytorch_lightning as pl

from pneumo_train.collector import file_name_of
from pneumo_train.config.federation import FederationConfig
from pneumo_train.config.settings import as_dict
from pneumo_train.federating.best import BestRound
from pneumo_train.federating.client import Client
from pneumo_train.federating.describing import describe
from pneumo_train.federating.last import Last, find_last
from pneumo_train.federating.looking import Look
from pneumo_train.federating.network import EngineOf, Network
from pneumo_train.federating.own import folder_of
from pneumo_train.federating.plans import Plan, parts_of, plan_path
from pneumo_train.federating.privacy import Private
from pneumo_train.federating.recording import Record, told
from pneumo_train.federating.result import FederationResult
from pneumo_train.federating.rounds import Played, Rounds
from pneumo_train.federating.sites import Share, pos_weight_of, require_same_clients, together
from pneumo_train.federating.values import Arrays, Engine
from pneumo_train.federating.weights import arrays_of, batch_norms, require_norms, statistics_of, trained_names
from pneumo_train.fitting.alone import alone_in
from pneumo_train.fitting.examined import Examiner
from pneumo_train.fitting.fitting import torch_set_up
from pneumo_train.fitting.last import Origin
from pneumo_train.fitting.runs import begin_run, open_run
from pneumo_train.network.classifier import LitClassifier
from pneumo_train.preparing.reading import DecodedSplit, Reading
from pneumo_train.reporting.keeping import keep_model_card
from pneumo_train.samples import Split
from pneumo_train.splitting.among_clients import deal_out
from pneumo_train.stores import warn_of_no_store
from pneumo_train.temporary import own_folder
from pneumo_train.terminal import track
from runstore import MetricPoint
from runstore.rounds import Round
from runstore.training import RunSession, split_metric_name

_log = logging.getLogger(__name__)


@dataclasses.dataclass(slots=True, kw_only=True)
class Federation:
    """One federation, to be led once.

    Attributes:
        reading: the source; its training part is dealt out, its validation part is the server's.
        federation: the course of it.
        session: of its run, unless nothing is to be stored.
        run_id: of its run.
        may_exist: whether the user named it.
        resume: go on with it from its last round, if it has one.
        checkpoint_dir: the best checkpoint and the last round go to ``<checkpoint_dir>/<run id>``.
        engine_of: makes the engine of a simulation.
        progress: show progress bars.
        network: the clients that are elsewhere, with films of their own; the whole source is the server's then. Without it the
            source's training part is dealt out.
    """

    reading: Reading
    federation: FederationConfig
    session: RunSession | None
    run_id: str
    may_exist: bool
    resume: bool
    checkpoint_dir: Path
    engine_of: EngineOf
    progress: bool
    network: Network | None = None
    _rounds: list[Round] = dataclasses.field(default_factory=list)
    _best: BestRound = dataclasses.field(init=False)
    _last: Last | None = None

    def lead(self, experiment_name: str, logs_dir: Path) -> FederationResult:
        """Leads it from what was read to the end of its runs.

        Raises:
            InUseError: another process leads this federation.
            DataError: there are too few patients for so many clients, or images cannot be read; no run is created.
            ConfigError: the network cannot be built as configured, or there is nothing to go on with; no run is created.
            RunStoreError: a mistake about the store to mend before training.
            FederationError: the engine does not start, or a round had too few good answers; the runs have ended.
            DivergedError: the loss is NaN or infinite; the run ended as failed.
        """
        with torch_set_up(self.reading.config), alone_in(self._folder, self.run_id):
            try:
                return self._lead(experiment_name, logs_dir)
            finally:
                if self.session is not None:
                    self.session.close()

    def _lead(self, experiment_name: str, logs_dir: Path) -> FederationResult:
        """Finds every mistake that can be found here before it waits for anybody elsewhere."""
        reading, config = self.reading, self.reading.config
        found = find_last(self._folder) if self.resume else None
        made_of = {**as_dict(config), "federation": dataclasses.asdict(self.federation)}
        if found is not None:
            if self.network is not None:
                require_same_clients(found.shares, self.network.names, self.run_id)
            found.origin.require_same_training(self._folder, self.run_id, made_of, reading.split.digest())
            self._rounds = list(found.rounds)
        self._best = BestRound(self._folder, config.training, self.session, found.best if found else None)
        parts: dict[str, Split] = {}
        if self.network is None:
            dealt = deal_out(reading.split.train, self.federation, seed=config.seed)
            parts = {name: parts_of(name, mine, config.data, seed=config.seed) for name, mine in dealt.items()}
        self._model(1.0)
        run = open_run(
            self.session,
            may_exist=self.may_exist,
            resume=self.resume,
            goes_on=found is not None,
            folder=self._folder,
        )
        decoded = reading.decode(track=track("reading films", shown=self.progress))
        if found is not None:
            found.origin.require_same_data(decoded.data_hash)
        server = dataclasses.replace(decoded, train=decoded.train.part(0, 0))
        for note in (*reading.notes, *decoded.notes):
            _log.warning(note)
        if self.session is None:
            warn_of_no_store()
        with self._clients(parts) as now:
            shares = now if found is None else together(found.shares, now, self.run_id)
            # As it was, whoever is there today: it is part of the loss that the rounds before have lowered.
            pos_weight = pos_weight_of(shares, config) if found is None else found.pos_weight
            model = self._model(pos_weight)
            about = describe(reading, decoded, self.federation, self._course, shares)
            if privacy := about.get("privacy"):
                _log.warning(
                    "each client's epsilon is at most {epsilon:.4g} after all rounds, at delta = {delta:g}".format(
                        **privacy
                    )
                )
            record = None if self.session is None else Record(self.session, {
                name: {"split": share.parts, "client": name} for name, share in shares.items()
            }, found)  # fmt: skip
            first = Last(
                origin=Origin(
                    run_id=self.run_id, config=made_of, split=reading.split.digest(), data_set=decoded.data_hash
                ),
                number=0,
                arrays=self._sent(model),
                remembered={},
                best=None,
                rounds=(),
                run_ids={},
                shares=shares,
                pos_weight=pos_weight,
            )
            last = dataclasses.replace(found or first, run_ids={} if record is None else record.run_ids, shares=shares)
            if self.session is not None:
                begin_run(self.session, run, resume=self.resume, goes_on=found is not None)
            return self._run(
                model,
                server,
                parts,
                last,
                record,
                about,
                Examiner(reading, server, server.test),
                experiment_name,
                logs_dir,
            )

    def _model(self, pos_weight: float) -> LitClassifier:
        """The network, with the same first weights each time.

        Raises:
            ConfigError: it cannot be built as configured.
        """
        config = self.reading.config
        pl.seed_everything(config.seed, workers=True, verbose=False)
        model = LitClassifier.from_config(config, pos_weight=pos_weight)
        require_norms(model, self.federation)
        return model

    @contextmanager
    def _clients(self, parts: Mapping[str, Split]) -> Iterator[Mapping[str, Share]]:
        """What is known of each client's films, as long as the block lasts; those who are elsewhere are waited for."""
        if self.network is None:
            yield {name: Share.of(split) for name, split in parts.items()}
            return
        with self.network.joined() as joined:
            self.engine_of = joined.engine_of
            yield joined.shares

    def _run(  # noqa: PLR0913, PLR0917 - all that a federation is made of
        self,
        model: LitClassifier,
        server: DecodedSplit,
        parts: dict[str, Split],
        last: Last,
        record: Record | None,
        about: dict[str, Any],
        examiner: Examiner,
        experiment_name: str,
        logs_dir: Path,
    ) -> FederationResult:
        config, session = self.reading.config, self.session
        try:
            if session is not None:
                session.log_config(about)
            if last.number == 0:  # before the clients' runs begin: whoever goes on finds them by it
                last.write(self._folder)
            if record is not None:
                record.begin()
            self._play(model, server, parts, last, record)
            best = self._best.require()
            examined = examiner.examine(self._folder / best.file, self.run_id)
            is_recorded = False
            if session is not None and record is not None:
                session.log_metrics(
                    MetricPoint(name=f"final_{name}", dataset_type=dataset_type, value=value, step=best.number)
                    for key, value in best.metrics.items()
                    for name, dataset_type in (split_metric_name(key),)
                )
                examined.keep(session, step=best.number)
                self._best.keep()
                record.end(None)
                is_recorded = session.end_with(None) and record.failures == 0
                is_recorded = examined.keep_test(session) and is_recorded
        except BaseException as error:
            if session is not None and record is not None:
                self._best.keep()
                record.end(error)
                session.end_with(error)
            raise
        if session is not None:
            keep_model_card(session)
        return FederationResult(
            run_id=self.run_id,
            client_run_ids={} if record is None else record.run_ids,
            experiment_name=experiment_name,
            num_clients=self.federation.num_clients,
            num_rounds=len(self._rounds),
            rounds=tuple(self._rounds),
            partition_strategy=self._course["partition"],
            best_model_path=str(self._folder / best.file),
            best_model_score=best.score,
            best_round=best.number,
            monitor=config.training.monitor,
            final_metrics=best.metrics,
            metrics_history=[{"round": made.number, **made.metrics} for made in self._rounds],
            checkpoint_dir=str(self._folder),
            logs_dir=str(logs_dir),
            metrics_metadata=about,
            evaluations=examined.evaluations,
            evaluation_run_ids={} if session is None else examined.run_ids,
            is_recorded=is_recorded,
        )

    def _play(
        self, model: LitClassifier, server: DecodedSplit, parts: dict[str, Split], last: Last, record: Record | None
    ) -> None:
        config, federation = self.reading.config, self.federation
        self._last = last
        if last.number == 0:
            shutil.rmtree(self._own, ignore_errors=True)
        with own_folder() as folder:
            plan = Plan(
                client="",
                train=(),
                validation=(),
                # Threads are the business of whoever gives a client its process.
                config=dataclasses.replace(config, training=dataclasses.replace(config.training, threads=None)),
                network=dict(model.hparams),
                local_epochs=federation.local_epochs,
                proximal_mu=federation.proximal_mu if federation.strategy == "fedprox" else 0.0,
                own=last.token if federation.batch_norm == "local" else None,
            )
            for name, split in parts.items():
                mine = dataclasses.replace(
                    plan,
                    client=name,
                    train=split.train,
                    validation=split.validation,
                    own=None if plan.own is None else str(folder_of(self._own, name)),
                )
                mine.write(plan_path(folder, name))
            names = sorted(last.shares)
            look = Look(
                model=model,
                films=server.validation,
                batch_size=config.training.batch_size,
                own_statistics=federation.batch_norm == "local",
            )
            with self.engine_of(Client(folder), names, federation, trained_names(model)) as engine:
                rounds = Rounds(
                    engine=engine,
                    config=federation,
                    optimizer=config.optimizer,
                    names=names,
                    look=look,
                    seed=config.seed,
                    private=self._private(model, last) if federation.is_private else None,
                    plan=plan.text() if self.network else "",
                    images={
                        name: share.parts["train"]["images"] for name, share in last.shares.items() if share.parts
                    },  # nothing is known of a client that has never joined
                )
                engine.remember(last.remembered)
                for played in rounds.play(last.arrays, after=last.number):
                    made = told(played) if record is None else record.keep(played)
                    self._rounds.append(made)
                    if played.failure is not None:
                        raise played.failure
                    self._best.consider(look, played)
                    self._keep_last(played, engine)

    @property
    def _course(self) -> dict[str, Any]:
        """As it is kept. Films that are elsewhere were not dealt out."""
        return {**dataclasses.asdict(self.federation), **({} if self.network is None else {"partition": "own"})}

    @property
    def _folder(self) -> Path:
        return self.checkpoint_dir / file_name_of(self.run_id)

    @property
    def _own(self) -> Path:
        """Where clients keep what never leaves them; in a simulation it is on this machine, too."""
        return self._folder.absolute() / "clients"

    def _sent(self, model: LitClassifier) -> Arrays:
        """What goes between server and clients at the beginning."""
        arrays = arrays_of(model)
        kept = statistics_of(batch_norms(model)) if self.federation.batch_norm == "local" else frozenset()
        return {name: array for name, array in arrays.items() if name not in kept}

    def _private(self, model: LitClassifier, last: Last) -> Private:
        federation = self.federation
        return Private(
            clip=federation.dp_clip,
            noise=federation.dp_noise,
            delta=federation.dp_delta,
            asked=federation.asked,
            trained=trained_names(model),
            spent=dict(last.spent),
            keep=lambda spent: self._write_last(spent=dict(spent)),
        )

    def _write_last(self, **changes: Any) -> None:
        assert self._last is not None  # noqa: S101 - whoever plays has set it
        self._last = dataclasses.replace(self._last, **changes)
        self._last.write(self._folder)

    def _keep_last(self, played: Played, engine: Engine) -> None:
        """Keeps a round when all else of it is done; the best one before is removed only then, for until then it may be gone on from."""
        self._write_last(
            number=played.number,
            arrays=played.arrays,
            remembered=engine.remembered(),
            best=self._best.best,
            rounds=tuple(self._rounds),
        )
        self._best.sweep()
