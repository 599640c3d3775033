"""Which round of a federation is the best so far, and its checkpoint: in the folder of the run, and in the store."""

import dataclasses
import math
from pathlib import Path

from pneumo_train.config.training import TrainingConfig
from pneumo_train.errors import FederationError
from pneumo_train.federating.last import Best
from pneumo_train.federating.looking import Look, write_checkpoint
from pneumo_train.federating.rounds import Played
from pneumo_train.result import BEST_CHECKPOINT
from runstore.training import RunSession


@dataclasses.dataclass(slots=True)
class BestRound:
    """The best round so far.

    Attributes:
        folder: of the run's checkpoints.
        training: says by which metric a round is the best.
        session: of the federation's run, unless nothing is to be stored.
        best: the round, once there is one with a finite metric.
    """

    folder: Path
    training: TrainingConfig
    session: RunSession | None
    best: Best | None = None

    def consider(self, look: Look, played: Played) -> None:
        """Takes a round that is better, and keeps its checkpoint."""
        score, sign = played.metrics[self.training.monitor], -1 if self.training.better == "min" else 1
        if not math.isfinite(score) or (self.best is not None and sign * score <= sign * self.best.score):
            return
        number, file = played.number, f"round-{played.number:04d}.ckpt"
        write_checkpoint(self.folder / file, look, played.arrays, number=number)
        self.best = Best(number=number, score=score, file=file, metrics=dict(played.metrics))
        self._keep(f"checkpoints/{file}", role="best so far")  # stays when a later round is better
        self.keep()  # a server that is killed leaves it in the store

    def require(self) -> Best:
        """The best round of all.

        Raises:
            FederationError: there is none.
        """
        if self.best is None:
            raise FederationError(
                f"no round has a finite {self.training.monitor}; look at the server's films, its validation part"
            )
        return self.best

    def keep(self) -> None:
        """Keeps the checkpoint in the store, as the best one."""
        self._keep(BEST_CHECKPOINT, role="best")

    def sweep(self) -> None:
        """Removes those of the rounds before from the folder."""
        for path in self.folder.glob("round-*.ckpt"):
            if self.best is None or path.name != self.best.file:
                path.unlink(missing_ok=True)

    def _keep(self, name: str, *, role: str) -> None:
        if self.best is None or self.session is None:
            return
        self.session.log_artifact(
            self.folder / self.best.file,
            name=name,
            artifact_type="model",
            metadata={
                "role": role,
                "monitor": self.training.monitor,
                "mode": self.training.better,
                "score": self.best.score,
                "epoch": self.best.number,
                "step": self.best.number,
            },
        )
