"""Checkpoint folders of a ``Trainer`` as artifacts: which to keep, and when."""

import math
from pathlib import Path
from typing import Any, Literal

from runstore.training.session import RunSession

LogModel = Literal["all"] | bool

ARTIFACT_TYPE = "checkpoint"


class CheckpointLog:
    """Keeps the folders ``checkpoint-<step>`` of a training as artifacts ``checkpoints/checkpoint-<step>/...``.

    ``log_model=False`` keeps none; ``"all"`` each one as it is written, before ``save_total_limit`` deletes it; ``True``
    those that a training which ended well leaves as its best and its last. An artifact's metadata tell ``role`` (``best``,
    ``last``, or ``step`` while training goes on), ``step``, ``epoch``, and of the metric by which the best is chosen the
    ``monitor``, ``mode`` and ``score``.
    """

    def __init__(self, log_model: LogModel) -> None:
        self._log_model = log_model
        self._roles: dict[str, str] = {}

    def written(self, args: Any, state: Any, session: RunSession) -> None:
        """A checkpoint of this step was written."""
        if self._log_model == "all":
            folder = _folder(args, state.global_step)
            if folder is not None:
                self._keep(folder, "step", args, state, session)

    def finish(self, args: Any, state: Any, session: RunSession) -> None:
        """A training ended well."""
        if not self._log_model:
            return
        best = Path(state.best_model_checkpoint) if state.best_model_checkpoint else None
        last = max(_folders(args), key=_step_of, default=None)
        for role, folder in (("last", last), ("best", best)):
            if folder is not None and folder.is_dir() and not (role == "last" and folder == best):
                self._keep(folder, role, args, state, session)

    def _keep(self, folder: Path, role: str, args: Any, state: Any, session: RunSession) -> None:
        name = f"checkpoints/{folder.name}"
        if self._roles.get(name) == role:
            return
        step = _step_of(folder)
        kept = session.log_artifact(
            folder,
            name=name,
            artifact_type=ARTIFACT_TYPE,
            metadata={"role": role, "step": step, **_told(args, state, step)},
        )
        if kept is not None:
            self._roles[name] = role


def _folders(args: Any) -> list[Path]:
    """The checkpoints of this training; those of a hyperparameter search lie in a folder of the trial's."""
    return [folder for folder in Path(args.output_dir).glob("checkpoint-*") if _step_of(folder) >= 0]


def _folder(args: Any, step: int) -> Path | None:
    name, root = f"checkpoint-{step}", Path(args.output_dir)
    found = [root / name, *sorted(root.glob(f"*/{name}"), key=lambda path: path.stat().st_mtime, reverse=True)]
    return next((folder for folder in found if folder.is_dir()), None)


def _step_of(folder: Path) -> int:
    number = folder.name.rpartition("-")[2]
    return int(number) if number.isdecimal() else -1


def _told(args: Any, state: Any, step: int) -> dict[str, Any]:
    monitor = args.metric_for_best_model
    entries = [entry for entry in state.log_history if entry.get("step") == step]
    told: dict[str, Any] = {"epoch": next((entry["epoch"] for entry in entries if "epoch" in entry), None)}
    if monitor is not None:
        key = monitor if monitor.startswith("eval_") else f"eval_{monitor}"
        score = next((entry[key] for entry in entries if key in entry), None)
        is_number = isinstance(score, (int, float)) and math.isfinite(score)
        told |= {
            "monitor": key,
            "mode": "max" if args.greater_is_better else "min",
            "score": score if is_number else None,
        }
    return told
