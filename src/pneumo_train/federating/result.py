"""What a federated training gives back: attributes, and a mapping of the same names."""

import dataclasses
from typing import Any

from pneumo_train.evaluating.figures import Evaluation
from pneumo_train.result import Result
from runstore.rounds import Round


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FederationResult(Result):
    """The end of a federation, as ``result.run_id`` or ``result["run_id"]``.

    Attributes:
        run_id: the federation's run; known whatever the store did.
        client_run_ids: the run of each client, by its name; empty without a store.
        experiment_name: the experiment that the runs belong to.
        num_clients: how many clients there were.
        num_rounds: how many rounds were completed.
        rounds: each round: who was asked, what became of it, the figures.
        partition_strategy: how the patients were dealt out.
        best_model_path: the checkpoint of the best round on disk.
        best_model_score: its value of the monitored metric on the server's films.
        best_round: the round that made it, counted from 1.
        monitor: the monitored metric, as ``val_auroc``.
        final_metrics: the best round's metrics on the server's films.
        metrics_history: a mapping for each round: ``round``, and each metric of the server's films.
        checkpoint_dir: where this run's checkpoint lies.
        logs_dir: as it was given; a federation writes no files there.
        metrics_metadata: what is known of the federation beside its metrics: sizes, hashes, the partition.
        evaluations: by part, ``validation`` (the server's films) and, if the source has one, ``test``.
        evaluation_run_ids: by part, the run that keeps it.
        is_recorded: whether the store took everything.
    """

    run_id: str
    client_run_ids: dict[str, str]
    experiment_name: str
    num_clients: int
    num_rounds: int
    rounds: tuple[Round, ...]
    partition_strategy: str
    best_model_path: str
    best_model_score: float
    best_round: int
    monitor: str
    final_metrics: dict[str, float]
    metrics_history: list[dict[str, float]]
    checkpoint_dir: str
    logs_dir: str
    metrics_metadata: dict[str, Any]
    evaluations: dict[str, Evaluation]
    evaluation_run_ids: dict[str, str]
    is_recorded: bool
