"""Where Lightning puts the files of a logger's runs: ``save_dir/experiment/run id``."""

import os
import re
from typing import NamedTuple

_UNSAFE_IN_PATHS = re.compile(r"[^\w .@=+,-]")


class Folders(NamedTuple):
    """The folders of one experiment's runs. Texts, for ``save_dir`` may be a URL, which a ``Path`` would break.

    Attributes:
        save_dir: what the program has given.
        experiment: the experiment's name, as a folder may be called.
    """

    save_dir: str
    experiment: str

    @property
    def root(self) -> str:
        """The folder of the experiment."""
        return os.path.join(self.save_dir, self.experiment)  # noqa: PTH118 - see above

    def of_run(self, run_id: str) -> str:
        """The folder of a run."""
        return os.path.join(self.root, fit_for_a_path(run_id))  # noqa: PTH118 - see above

    def of_checkpoints(self, run_id: str) -> str:
        """The folder that Lightning chooses for a run's checkpoints, letter by letter."""
        return os.path.join(self.of_run(run_id), "checkpoints")  # noqa: PTH118 - see above


def fit_for_a_path(name: str) -> str:
    """A name as a folder may be called."""
    safe = _UNSAFE_IN_PATHS.sub("_", name)
    return safe if safe.strip(". ") else safe.replace(".", "_")
