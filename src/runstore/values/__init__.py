"""Values as the contract has them: names, texts, times, numbers, configs and ids, each checked in one place."""

from runstore.values.checks import MAX_STEP, check_failure
from runstore.values.config import (
    EMPTY_CONFIG,
    ConfigDocument,
    ConfigLeaf,
    decode_config,
    encode_config,
    escape_key,
    flatten_config,
)
from runstore.values.ids import experiment_id_of, new_run_id

__all__ = [
    "EMPTY_CONFIG",
    "MAX_STEP",
    "ConfigDocument",
    "ConfigLeaf",
    "check_failure",
    "decode_config",
    "encode_config",
    "escape_key",
    "experiment_id_of",
    "flatten_config",
    "new_run_id",
]
