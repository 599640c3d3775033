"""The course of a federation."""

import dataclasses
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from pneumo_train.config.kinds import Between0And1, NotNegative, check
from pneumo_train.config.wanted import GREATEST, wanted
from pneumo_train.errors import ConfigError

PartitionStrategy = Literal["iid", "stratified", "by_patient", "dirichlet", "site"]
"""How the patients of one source are dealt out among clients."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class FederationConfig:
    """The course of a federation.

    Attributes:
        num_clients: how many clients there are; each has patients of its own.
        num_rounds: rounds; in each the server's weights go out, and come back trained.
        local_epochs: epochs that a client trains in a round.
        strategy: how the server makes one of many: fedavg (the mean, weighed by images), fedprox (the same, and clients are
            held near the server's weights) or fedadam (the server steps by Adam).
        proximal_mu: with fedprox, how strongly clients are held.
        server_rate: with fedadam, the learning rate of the server.
        partition: how patients are dealt out: iid (at random), stratified (with and without pneumonia apart), by_patient
            (in the order of their names, in blocks), dirichlet (shares of the classes that differ from client to client) or
            site (each hospital of data.site_column is a client).
        dirichlet_alpha: with dirichlet, how alike the shares are; the less, the less alike.
        batch_norm: batch normalisation is averaged with all the rest, or local (FedBN): each client trains and looks with its own.
        dp_clip: for differential privacy, the greatest length of what a client changes in a round, all weights together; 0 without it.
        dp_noise: for differential privacy, the noise on the sum of these changes, in lengths of dp_clip; 0 without it.
        dp_delta: the delta for which the epsilon of each round is told.
        secure_aggregation: refused, for Flower has it in its legacy interface only.
        client_fraction: the share of the clients that is asked in a round, drawn by the seed.
        min_answers: with fewer good answers in a round the federation ends as failed.
        round_timeout: seconds until a client that has not answered counts as late.
    """

    num_clients: Annotated[int, Meta(ge=2, le=1000)] = 3
    num_rounds: Annotated[int, Meta(ge=1, le=10_000)] = 5
    local_epochs: Annotated[int, Meta(ge=1, le=1000)] = 1
    strategy: Literal["fedavg", "fedprox", "fedadam"] = "fedavg"
    proximal_mu: NotNegative = 0.01
    server_rate: Annotated[float, Meta(gt=0, le=GREATEST)] = 0.01
    partition: PartitionStrategy = "iid"
    dirichlet_alpha: Annotated[float, Meta(gt=0, le=1000)] = 0.5
    batch_norm: Literal["averaged", "local"] = "averaged"
    dp_clip: NotNegative = 0.0
    dp_noise: NotNegative = 0.0
    dp_delta: Between0And1 = 1e-5
    secure_aggregation: bool = False
    client_fraction: Annotated[float, Meta(gt=0, le=1)] = 1.0
    min_answers: Annotated[int, Meta(ge=1, le=1000)] = 1
    round_timeout: Annotated[float, Meta(gt=0, le=604_800)] = 3600.0

    def __post_init__(self) -> None:
        """Checks what one key means for another."""
        check(
            "min_answers",
            self.min_answers,
            self.min_answers <= self.asked,
            f"only {self.asked} clients are asked in a round, by num_clients and client_fraction",
        )

        check(
            "dp_noise",
            self.dp_noise,
            (self.dp_noise > 0) == (self.dp_clip > 0),
            f"stands beside dp_clip = {self.dp_clip!r}; differential privacy wants both above 0: what is not clipped no noise covers",
        )
        check(
            "dp_noise",
            self.dp_noise,
            not self.is_private or self.strategy != "fedadam",
            "is not offered with fedadam; give strategy = fedavg or fedprox",
        )
        check(
            "dp_noise",
            self.dp_noise,
            not self.is_private or self.batch_norm == "averaged",
            "there is no batch normalisation under differential privacy; give batch_norm = averaged, and model.norm = group",
        )
        check(
            "secure_aggregation",
            self.secure_aggregation,
            not self.secure_aggregation,
            "Flower has SecAgg and SecAgg+ in its legacy interface only, which this federation is not built on; what hides a "
            "client's part from whoever sees the weights is dp_clip with dp_noise, and the server is trusted",
        )

    @property
    def is_private(self) -> bool:
        """Whether what goes out has differential privacy."""
        return self.dp_noise > 0

    @property
    def asked(self) -> int:
        """How many clients are asked in a round."""
        return max(1, round(self.client_fraction * self.num_clients))


def federation_of(values: Mapping[str, Any]) -> FederationConfig:
    """The course of a federation from plain values, types and ranges checked.

    Raises:
        ConfigError: names the key.
    """
    known = [field.name for field in dataclasses.fields(FederationConfig)]
    if unknown := sorted(set(values) - set(known)):
        raise ConfigError(
            f"{unknown[0]} = {values[unknown[0]]!r}: no such key of a federation; known: {', '.join(known)}"
        )
    try:
        return msgspec.convert(dict(values), FederationConfig, strict=False)
    except msgspec.ValidationError as error:
        if isinstance(error.__cause__, ConfigError):
            raise error.__cause__ from None
        key = str(error).rpartition(" - at ")[2].strip("`").removeprefix("$.")
        raise ConfigError(f"{key} = {values[key]!r}: wanted {wanted(FederationConfig, key)}") from error
