"""``python -m pneumo_train`` is the command ``pneumo-train``."""

import sys

from pneumo_train.cli import main

sys.exit(main())
