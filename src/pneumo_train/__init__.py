"""A chest X-ray pneumonia trainer on PyTorch Lightning that keeps its runs in any runstore database.

Importing this package imports neither torch nor Lightning: each public name is loaded when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from pneumo_train.config.federation import FederationConfig
from pneumo_train.config.settings import TrainConfig, load_config
from pneumo_train.errors import ConfigError, DataError, DivergedError, FederationError, PneumoTrainError, SourceError

if TYPE_CHECKING:
    from pneumo_train.centralized import CentralizedTrainer
    from pneumo_train.collector import MetricsCollectorCallback
    from pneumo_train.federated import FederatedTrainer
    from pneumo_train.federating.result import FederationResult
    from pneumo_train.network.classifier import LitClassifier
    from pneumo_train.network.lightning_model import LitResNet
    from pneumo_train.result import TrainingResult

_HOMES = {
    "CentralizedTrainer": "pneumo_train.centralized",
    "FederatedTrainer": "pneumo_train.federated",
    "FederationResult": "pneumo_train.federating.result",
    "LitClassifier": "pneumo_train.network.classifier",
    "LitResNet": "pneumo_train.network.lightning_model",
    "MetricsCollectorCallback": "pneumo_train.collector",
    "TrainingResult": "pneumo_train.result",
}

__all__ = [
    "CentralizedTrainer",
    "ConfigError",
    "DataError",
    "DivergedError",
    "FederatedTrainer",
    "FederationConfig",
    "FederationError",
    "FederationResult",
    "LitClassifier",
    "LitResNet",
    "MetricsCollectorCallback",
    "PneumoTrainError",
    "SourceError",
    "TrainConfig",
    "TrainingResult",
    "load_config",
]


def __getattr__(name: str) -> Any:
    """Loads a public name's module when the name is first used (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
