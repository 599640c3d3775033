"""The work of a client that has its films where it is: its plan is the server's settings and its own films."""

import dataclasses
import hashlib
from pathlib import Path
from typing import Any

from pneumo_train.config.data import DataConfig
from pneumo_train.federating.plans import plan_of, plan_path
from pneumo_train.federating.values import Answer, Request
from pneumo_train.samples import Split


@dataclasses.dataclass(frozen=True, slots=True)
class OwnFilms:
    """The work of one client. Where it is made, PyTorch is not needed; where it is done, it is imported once.

    Attributes:
        folder: of this process; its plans and decoded films come to lie here.
        kept: of its own; what it keeps to itself of the weights (FedBN) comes to lie here.
        split: its films.
        data: how they are read. The server's settings say how large they are, and nothing else of it.
    """

    folder: Path
    kept: Path
    split: Split
    data: DataConfig

    def __reduce__(self) -> tuple[Any, ...]:
        """It comes to life in the process whose forks do the work."""
        return _where_it_is_done, (self.folder, self.kept, self.split, self.data)

    def __call__(self, request: Request) -> Answer:
        """Does what is asked."""
        from pneumo_train.federating.client import Client  # noqa: PLC0415 - it brings torch

        # Another federation by the same server may want films of another size: each has a folder.
        place = self.folder / hashlib.sha256(request.plan.encode()).hexdigest()[:16]
        path = plan_path(place, request.client)
        if not path.exists():
            told = plan_of(request.plan)
            own = None
            if (
                told.own is not None
            ):  # a name of the federation's own, so that one that is begun anew finds nothing there
                own = self.kept / hashlib.sha256(told.own.encode()).hexdigest()[:16]
            data = dataclasses.replace(self.data, image_size=told.config.data.image_size)
            place.mkdir(exist_ok=True)
            dataclasses.replace(
                told,
                client=request.client,
                train=self.split.train,
                validation=self.split.validation,
                config=dataclasses.replace(told.config, data=data),
                own=None if own is None else str(own),
            ).write(path)
        return Client(place)(request)


def _where_it_is_done(folder: Path, kept: Path, split: Split, data: DataConfig) -> OwnFilms:
    import pneumo_train.federating.client  # noqa: F401, PLC0415 - once, for all that are forked

    return OwnFilms(folder, kept, split, data)
