"""A service that stands for a SuperLink where none is started."""

from pneumo_train.federating.services import Service


class Runs(Service):
    """It does not end, and says nothing."""

    def __init__(self) -> None:
        """Starts nothing."""

    def end(self) -> None:
        return None

    def words(self) -> str:
        return ""
