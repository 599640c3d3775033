"""The last round of a federation: all that is needed to go on from it as if nothing had happened."""

import dataclasses
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import torch

from pneumo_train.errors import LastCheckpointError
from pneumo_train.federating.sites import Share
from pneumo_train.federating.values import Arrays
from pneumo_train.fitting.last import Origin
from runstore.local.whole_files import replacing
from runstore.rounds import ClientRound, Round

LAST = "last.round"

_KEY = "pneumo_train_round"
"""Under which the file says whose it is."""

_SINCE_THE_FIRST = {"shares", "pos_weight", "token"}
"""Without which a federation would go on as another one."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Best:
    """The best round so far.

    Attributes:
        number: of the round.
        score: its value of the monitored metric.
        file: the name of its checkpoint, in the folder of the run.
        metrics: on the server's films.
    """

    number: int
    score: float
    file: str
    metrics: dict[str, float]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Last:
    """A round that is over and recorded; nothing of chance need be kept, for that goes by the seed and the round's number.

    Attributes:
        origin: what the federation is made of.
        number: of the round; 0 before the first.
        arrays: the weights after it.
        remembered: what the engine remembers.
        best: the best round so far.
        rounds: all up to this one.
        run_ids: the run of each client, by its name; empty without a store.
        shares: what is known of the films of each client, by its name.
        pos_weight: the weight of a positive image in the loss of every round, by what was known when the federation began.
        token: of this federation alone, by chance: another one has another, also if its run is called the same.
        spent: in how many releases each client had a part, under differential privacy: that of a round that was cut off counts, too.
    """

    origin: Origin
    number: int
    arrays: Arrays
    remembered: Mapping[str, Arrays]
    best: Best | None
    rounds: Sequence[Round]
    run_ids: Mapping[str, str]
    shares: Mapping[str, Share]
    pos_weight: float
    token: str = dataclasses.field(default_factory=lambda: secrets.token_hex(16))
    spent: Mapping[str, int] = dataclasses.field(default_factory=dict)

    def write(self, folder: Path) -> None:
        """Writes it in the place of the one before; the file is whole at every moment."""
        content = {
            _KEY: dataclasses.asdict(self.origin),
            "number": self.number,
            "arrays": _tensors(self.arrays),
            "remembered": {name: _tensors(arrays) for name, arrays in self.remembered.items()},
            "best": None if self.best is None else dataclasses.asdict(self.best),
            "rounds": msgspec.to_builtins(self.rounds),
            "run_ids": dict(self.run_ids),
            "shares": {name: share.describe() for name, share in self.shares.items()},
            "pos_weight": self.pos_weight,
            "token": self.token,
            "spent": dict(self.spent),
        }
        folder.mkdir(parents=True, exist_ok=True)
        with replacing(folder / LAST, by=folder / f"{LAST}.partial") as partial:
            torch.save(content, partial)


def find_last(folder: Path) -> Last | None:
    """The last round in a run's folder, or ``None`` if it has none.

    Raises:
        LastCheckpointError: it cannot be read, or is none of this trainer.
    """
    path = folder / LAST
    if not path.is_file():
        return None
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)  # nothing foreign is unpickled
        _require_whole(path, content)
        best = content["best"]
        return Last(
            origin=Origin(**content[_KEY]),
            number=int(content["number"]),
            arrays=_arrays(content["arrays"]),
            remembered={name: _arrays(tensors) for name, tensors in content["remembered"].items()},
            best=None if best is None else Best(**best),
            rounds=[_round_of(told) for told in content["rounds"]],
            run_ids=content["run_ids"],
            shares={name: Share(**told) for name, told in content["shares"].items()},
            pos_weight=float(content["pos_weight"]),
            token=content["token"],
            spent=content.get("spent", {}),
        )
    except LastCheckpointError:
        raise
    except Exception as error:
        reason = next(iter(str(error).splitlines()), "")
        raise LastCheckpointError(
            f"{path}: is no round that a federation can go on from ({type(error).__name__}: {reason}); remove it to begin anew, "
            "or name another checkpoint_dir"
        ) from error


def _require_whole(path: Path, content: Mapping[str, Any]) -> None:
    """Refuses what the first version of this file was."""
    if _KEY in content and (missing := _SINCE_THE_FIRST - content.keys()):
        raise LastCheckpointError(
            f"{path}: an older version of pneumo-train has written it, and it lacks what is needed to go on "
            f"({', '.join(sorted(missing))}); go on with that version, or remove the file to begin anew, or name another checkpoint_dir"
        )


def _tensors(arrays: Arrays) -> dict[str, torch.Tensor]:
    return {name: torch.tensor(array) for name, array in arrays.items()}


def _arrays(tensors: Mapping[str, torch.Tensor]) -> Arrays:
    return {name: tensor.numpy() for name, tensor in tensors.items()}


def _round_of(told: Mapping[str, Any]) -> Round:
    clients = tuple(ClientRound(**_with_times(client)) for client in told["clients"])
    return Round(**{**_with_times(told), "clients": clients})


def _with_times(told: Mapping[str, Any]) -> dict[str, Any]:
    times = {key: told[key] and datetime.fromisoformat(told[key]) for key in ("started_at", "ended_at")}
    return {**told, **times}
