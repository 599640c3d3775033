"""Any Lightning project's runs in your own database: ``Trainer(logger=RunStoreLogger(url, experiment="ct-seg"))``.

Works with ``lightning.pytorch`` and ``pytorch_lightning``, whichever the program uses.
"""

from runstore.lightning.checkpoints import fetch_checkpoint
from runstore.lightning.logger import RunStoreLogger
from runstore.lightning.resuming import RunStoreCallback

__all__ = ["RunStoreCallback", "RunStoreLogger", "fetch_checkpoint"]
