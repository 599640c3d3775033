"""What can be wrong before training starts, and a training that diverges; every message says what was asked, what was found and what to do."""


class PneumoTrainError(Exception):
    """Root of the errors that this package raises on purpose."""


class ConfigError(PneumoTrainError, ValueError):
    """A configuration key is unknown, or its value is of the wrong type or out of range; names the key."""


class InUseError(ConfigError):
    """Another process is training the run that was named."""


class SourceError(PneumoTrainError, ValueError):
    """The directory or zip cannot be used: no CSV, no images, or an archive that is not safe to unpack."""


class DataError(PneumoTrainError, ValueError):
    """The table or the images cannot be trained on; names the file, the number of rows and what to do."""


class LastCheckpointError(ConfigError, DataError):
    """There is a last checkpoint, and this training cannot go on from it: it is damaged, or of another run, configuration, split or data."""


class UnreadableError(DataError):
    """Images cannot be read; ``files`` has the name of each, with the reason."""

    def __init__(self, message: str, *, files: tuple[str, ...]) -> None:
        """Keeps the names beside the message."""
        super().__init__(message)
        self.files = files


class DivergedError(PneumoTrainError, ArithmeticError):
    """Training itself failed: its loss is NaN or infinite, and its weights are of no use. The run ends as failed."""


class PredictionError(PneumoTrainError, ArithmeticError):
    """A model's predictions are NaN or infinite: there is nothing to evaluate. Says how many."""


class CheckpointError(PneumoTrainError, ValueError):
    """A run has no checkpoint, or not the one that was stored, or one of another program; says which."""


class FederationError(PneumoTrainError, RuntimeError):
    """A round had too few good answers, or nothing was learnt in it. Names each client and its reason."""
