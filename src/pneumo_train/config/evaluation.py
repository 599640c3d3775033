"""How a model is evaluated, and how its threshold is chosen."""

import dataclasses
from typing import Annotated, Literal

from msgspec import Meta

from pneumo_train.config.kinds import Between0And1, check

ThresholdRule = Literal["sensitivity_bound", "sensitivity", "youden", "f1", "fixed"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class EvaluationConfig:
    """How a model is evaluated, and how its threshold is chosen.

    Attributes:
        threshold_rule: how the threshold is chosen on the validation part: sensitivity_bound (the highest whose lower
            95 % bound of the sensitivity, by patient, is target_sensitivity or more), sensitivity (the highest whose
            sensitivity is), youden, f1, or fixed.
        target_sensitivity: of the rules sensitivity_bound and sensitivity.
        fixed_threshold: of the rule fixed.
        temperature_scaling: fit one temperature on the validation part, so that probabilities mean what they say.
        calibration_shift: fit what is added to all logits as well (Platt's scaling): for trainings whose films or classes are
            weighed or exposed otherwise than those that are looked at.
        bootstrap_draws: how many times patients are drawn for the 95 % intervals; 0 for none. The rule
            sensitivity_bound draws 1,000 times all the same.
        corruptions: evaluate on films made worse in five ways at five strengths as well; takes 25 times as long.
    """

    threshold_rule: ThresholdRule = "sensitivity_bound"
    target_sensitivity: Between0And1 = 0.9
    fixed_threshold: Between0And1 = 0.5
    temperature_scaling: bool = True
    calibration_shift: bool = False
    bootstrap_draws: Annotated[int, Meta(ge=0, le=100_000)] = 1000
    corruptions: bool = False

    def __post_init__(self) -> None:
        """Checks what one key means for another."""
        check(
            "evaluation.calibration_shift",
            self.calibration_shift,
            self.temperature_scaling or not self.calibration_shift,
            "is fitted with the temperature; give evaluation.temperature_scaling = true",
        )
