"""Clients on other machines, as whoever leads a federation sees them."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from pneumo_train.config.federation import FederationConfig
from pneumo_train.federating.sites import Share
from pneumo_train.federating.values import Engine, Work

EngineOf = Callable[[Work, list[str], FederationConfig, frozenset[str]], AbstractContextManager[Engine]]
"""Makes the engine that carries work to clients by name; the last is which arrays are trained."""


class Joined(Protocol):
    """The clients that have joined."""

    @property
    def shares(self) -> Mapping[str, Share]:
        """What is known of the films of each client that is invited; nothing of one that has not joined."""
        ...

    def engine_of(
        self, work: Work, names: list[str], config: FederationConfig, trained: frozenset[str]
    ) -> AbstractContextManager[Engine]:
        """What carries requests to the clients."""
        ...


@dataclasses.dataclass(frozen=True, slots=True)
class Network:
    """The clients of a federation over a network.

    Attributes:
        names: of all who are invited.
        joined: waits for them, and has them as long as its block lasts.
    """

    names: Sequence[str]
    joined: Callable[[], AbstractContextManager[Joined]]
