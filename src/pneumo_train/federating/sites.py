"""What is known of a client's films: how many there are, and of whom; never which."""

import dataclasses
import re
from collections.abc import Mapping, Sequence
from typing import Any, Self

from pneumo_train.config.settings import TrainConfig
from pneumo_train.errors import ConfigError, DataError, FederationError
from pneumo_train.samples import Split
from pneumo_train.words import shown

_COUNTS = {"images", "patients", "positives"}
_PARTS = {"train", "validation"}
_MOST = 10**9


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """The films of one client.

    Attributes:
        parts: images, patients and positive images of each part.
        digest: SHA-256 (hex) of which image is in which part.
    """

    parts: Mapping[str, Mapping[str, int]]
    digest: str

    @classmethod
    def of(cls, split: Split) -> Self:
        """That of a split."""
        return cls(parts=split.describe(), digest=split.digest())

    @classmethod
    def told(cls, client: str, about: Any) -> Self:
        """What a client says of its own.

        Raises:
            FederationError: it says nothing of the kind.
        """
        try:
            parts, digest = about["parts"], about["digest"]
            counts = [part[name] for part in parts.values() for name in _COUNTS]
            is_so = (
                set(parts) == _PARTS
                and all(set(part) == _COUNTS for part in parts.values())
                and all(type(count) is int and 0 <= count <= _MOST for count in counts)
                and all(max(part["positives"], part["patients"]) <= part["images"] for part in parts.values())
                and re.fullmatch(r"[0-9a-f]{64}", digest)
            )
        except (TypeError, KeyError, AttributeError) as error:
            raise FederationError(f"{client} says of its films what cannot be understood ({error!r})") from error
        if not is_so:
            raise FederationError(f"{client} says of its films what cannot be so; look at its release of pneumo-train")
        return cls(parts=parts, digest=digest)

    @property
    def images(self) -> int:
        """How many there are."""
        return sum(part["images"] for part in self.parts.values())

    def describe(self) -> dict[str, Any]:
        """It as it is kept, and told to the server."""
        return {"parts": {name: dict(counts) for name, counts in self.parts.items()}, "digest": self.digest}


def require_same_clients(before: Mapping[str, Share], invited: Sequence[str], run_id: str) -> None:
    """Refuses to go on with other clients than a federation was begun with.

    Raises:
        ConfigError: one more is invited, or one less.
    """
    new, gone = sorted(set(invited) - set(before)), sorted(set(before) - set(invited))
    if not new and not gone:
        return
    found = "; ".join(
        f"{shown(', '.join(names))} {words}"
        for names, words in ((new, "was not there then"), (gone, "is missing"))
        if names
    )
    raise ConfigError(
        f"invited: the run {run_id!r} was begun with {len(before)} clients ({shown(', '.join(sorted(before)))}), and now {found}; "
        "have the folders of the clients as they were to go on with it, or give another run_id to begin anew with these"
    )


def together(before: Mapping[str, Share], now: Mapping[str, Share], run_id: str) -> dict[str, Share]:
    """What is known of the films of each client when a federation goes on: of one that is not there now, what it said before.

    Raises:
        DataError: a client has other films than it had.
    """
    known: dict[str, Share] = {}
    for name, share in now.items():
        kept = before.get(name)
        if kept is None or not kept.parts:
            known[name] = share
            continue
        if share.parts and share.digest != kept.digest:
            raise DataError(
                f"{name} has other films, or divides them in another way, than when the run {run_id!r} was begun ({share.images:,} "
                f"images now, {kept.images:,} then); have it join with those and with the same options, or give another run_id to "
                "begin anew"
            )
        known[name] = kept
    return known


def pos_weight_of(shares: Mapping[str, Share], config: TrainConfig) -> float:
    """The weight of a positive image, by all clients together: each has the same loss, whatever its own share of positives."""
    if not config.model.class_weighting or config.loss.balanced_batches:
        return 1.0
    counts = [share.parts["train"] for share in shares.values() if share.parts]
    images, positives = (sum(count[name] for count in counts) for name in ("images", "positives"))
    return (images - positives) / max(1, positives)
