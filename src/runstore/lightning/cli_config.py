"""The configuration of a LightningCLI, kept with the run."""

import logging
import tempfile
from pathlib import Path
from typing import Any

from runstore.secrets import redact
from runstore.training.session import RunSession

_log = logging.getLogger(__name__)

ARTIFACT_TYPE = "config"


def keep_cli_config(trainer: Any, session: RunSession) -> None:
    """Keeps what the trainer's ``SaveConfigCallback`` saves, as an artifact of the same name, without passwords.

    The callback's class is known by its name: loading Lightning's command line only to ask would take a second.
    """
    for callback in trainer.callbacks:
        if any(kind.__name__ == "SaveConfigCallback" for kind in type(callback).__mro__):
            try:
                text = redact(callback.parser.dump(callback.config, skip_none=False))
            except Exception as error:  # noqa: BLE001 - a stranger's parser may raise anything, and training goes on
                _log.warning("run %s: the command line's configuration is not kept: %s", session.run_id, error)
                continue
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder) / "config.yaml"
                file.write_text(text, encoding="utf-8")
                session.log_artifact(file, name=Path(callback.config_filename).name, artifact_type=ARTIFACT_TYPE)
