"""What a federation's run says of it: what it was made of, and who has what."""

import os
from collections.abc import Mapping
from typing import Any

from pneumo_train.config.federation import FederationConfig
from pneumo_train.config.settings import as_dict
from pneumo_train.federating.rounds import planned_epsilon
from pneumo_train.federating.sites import Share
from pneumo_train.preparing.reading import DecodedSplit, Reading


def describe(
    reading: Reading,
    decoded: DecodedSplit,
    federation: FederationConfig,
    course: dict[str, Any],
    shares: Mapping[str, Share],
) -> dict[str, Any]:
    """What is kept as the run's config: the whole configuration, the data, and who has what."""
    source = reading.source
    private: dict[str, Any] = {}
    if federation.is_private:
        spent = planned_epsilon(list(shares), federation, seed=reading.config.seed)
        private = {"privacy": {"unit": "client", "epsilon": spent, "delta": federation.dp_delta}}
    return {
        **as_dict(reading.config),
        "federation": course,
        **private,
        "source": {"path": os.fspath(source.path), "csv": source.table_name},
        "data_set": {
            "hash": decoded.data_hash,
            "images": len(decoded),
            "left_out": reading.split.left_out,
            "patient_column": reading.patient_column,
            "given_parts": reading.split.given(),
        },
        "split": {"hash": reading.split.digest(), **reading.split.describe()},
        "partition": {name: {"hash": share.digest, **share.parts} for name, share in shares.items()},
    }
