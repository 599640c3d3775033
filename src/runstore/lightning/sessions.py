"""The sessions of a logger's runs: in which store, of which experiment, born with what."""

import os
from collections.abc import Mapping
from typing import Any

from runstore.opening.opener import Opener
from runstore.protocol import RunStore
from runstore.provenance import gather_provenance
from runstore.training.session import RunSession

_PACKAGES = (
    "runstore",
    "lightning",
    "pytorch-lightning",
    "torch",
    "torchvision",
    "torchmetrics",
    "numpy",
)


class Sessions:
    """Makes the session of each run that a logger writes to.

    Attributes:
        experiment: the name of the experiment.
        names_experiment: whether the program has named it. If not, a run that exists tells it.
    """

    def __init__(  # noqa: PLR0913 - the logger's own options
        self,
        url: str | None,
        *,
        store: RunStore | None,
        durable: bool,
        artifacts: str | None,
        experiment: str | None,
        tags: Mapping[str, str] | None,
        birth: Mapping[str, Any],
    ) -> None:
        """Opens nothing yet.

        Raises:
            InvalidValueError: a URL and a store are both given.
        """
        self.experiment: str = experiment or "default"
        self.names_experiment: bool = experiment is not None
        self._opener = Opener(url, store=store, durable=durable, artifacts=artifacts)
        self._tags = dict(tags or {})
        self._birth = dict(birth)

    def new(self, run_id: str, **tags: str) -> RunSession:
        """A session for a run, with more tags than those of all runs."""
        return RunSession(
            self._opener.store,
            experiment=self.experiment,
            run_id=run_id,
            tags=self._tags | tags,
            provenance=gather_provenance(packages=_PACKAGES, seed=_seed()),
            **self._birth,
        )

    @property
    def store_name(self) -> str | None:
        """The store's URL without secrets; ``None`` where the program has given an open store."""
        return self._opener.shown_url


def _seed() -> int | None:
    """What ``seed_everything`` has set."""
    seed = os.environ.get("PL_GLOBAL_SEED", "")
    return int(seed) if seed.isdecimal() else None
