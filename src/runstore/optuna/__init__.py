"""An Optuna study's trials in your own database: ``study.optimize(sweep.track(objective), callbacks=[sweep])``."""

from importlib.util import find_spec

if find_spec("optuna") is None:
    raise ImportError('runstore.optuna needs Optuna, which is not installed; do: pip install "runstore[optuna]"')

from runstore.optuna.callback import RunStoreCallback

__all__ = ["RunStoreCallback"]
