"""Any Lightning project's runs in your own database: ``Trainer(logger=RunStoreLogger(url, experiment="ct-seg"))``.

Works with ``lightning.pytorch`` and ``pytorch_lightning``, whichever the program uses.
"""

from runstore.lightning._family import Logger as _Logger  # noqa: F401 - first: it says what to install
from runstore.lightning.callback import RunStoreCallback
from runstore.lightning.fetching import fetch_checkpoint
from runstore.lightning.logger import RunStoreLogger

__all__ = ["RunStoreCallback", "RunStoreLogger", "fetch_checkpoint"]
