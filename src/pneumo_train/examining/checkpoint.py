"""The best checkpoint of a run: with the decision in it, and out of the store with its hash checked."""

import hashlib
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from pneumo_train.errors import CheckpointError
from pneumo_train.evaluating.deciding import UNDECIDED
from pneumo_train.evaluating.figures import Decision
from pneumo_train.evaluating.tables import decision_as_dict, decision_from_dict
from pneumo_train.network.classifier import LitClassifier
from pneumo_train.result import BEST_CHECKPOINT
from runstore import RunReader
from runstore.local.whole_files import replacing

DECISION_KEY = "pneumo_train_decision"
"""Under which a checkpoint holds its temperature, its threshold and the whole operating table."""

_NO_NETWORK = ("loss.", "losses.", "metrics.")
"""What a checkpoint may hold or lack: it has no part in an answer."""


def write_decision(path: Path, decision: Decision) -> None:
    """Writes a decision into a checkpoint of our own; the file is whole at every moment."""
    content = torch.load(path, map_location="cpu", weights_only=False)
    content[DECISION_KEY] = decision_as_dict(decision)
    with replacing(path, by=path.with_name(f"{path.name}.partial")) as partial:
        torch.save(content, partial)


def fetch_checkpoint(reader: RunReader, run_id: str) -> tuple[bytes, str]:
    """The best checkpoint of a run and its SHA-256 (hex), which is what the store has noted of it.

    Raises:
        CheckpointError: the run has none, or its bytes are not those that were stored.
        RunNotFoundError: there is no such run.
    """
    reader.get_run(run_id)
    artifacts = {artifact.name: artifact for artifact in reader.list_artifacts(run_id)}
    if BEST_CHECKPOINT not in artifacts:
        raise CheckpointError(
            f"run {run_id!r} has no artifact {BEST_CHECKPOINT!r}; name a run of `pneumo-train fit` that has validated at "
            "least once"
        )
    with reader.open_artifact(run_id, BEST_CHECKPOINT) as stream:
        content = stream.read()
    digest = hashlib.sha256(content).hexdigest()
    if digest != (noted := artifacts[BEST_CHECKPOINT].sha256):
        raise CheckpointError(
            f"run {run_id!r}: {BEST_CHECKPOINT} has the SHA-256 {digest[:12]}…, and {(noted or 'nothing')[:12]}… was stored; the "
            "file was changed since: bring the stored one back, or train again"
        )
    return content, digest


def load_checkpoint(content: bytes, *, called: str) -> tuple[LitClassifier, Decision]:
    """The network of a checkpoint, and the decision that it holds. Nothing foreign is unpickled.

    Args:
        content: the bytes of the file.
        called: what an error calls it.

    Raises:
        CheckpointError: the file is no checkpoint of this trainer.
    """
    try:
        values = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        model = LitClassifier(**values["hyper_parameters"])
        found = model.load_state_dict(values["state_dict"], strict=False)
        wrong = [key for key in (*found.missing_keys, *found.unexpected_keys) if not key.startswith(_NO_NETWORK)]
        if wrong:
            raise KeyError(", ".join(wrong[:3]))  # noqa: TRY301 - told with all else that may be wrong in a file
        return model, _decision_of(values)
    except Exception as error:
        reason = next(iter(str(error).splitlines()), "")
        raise CheckpointError(
            f"{called}: is no checkpoint of this trainer ({type(error).__name__}: {reason}); name a run of `pneumo-train "
            "fit`, by the version that has trained it"
        ) from error


def _decision_of(values: Mapping[str, Any]) -> Decision:
    return decision_from_dict(values[DECISION_KEY]) if DECISION_KEY in values else UNDECIDED
