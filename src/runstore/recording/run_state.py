"""What a process knows of the runs that it writes to, while the database does not tell."""


class RunState:
    """What this process knows of a run that it writes to.

    Attributes:
        experiment_id: its experiment, if it was told.
        ended: its end, if this process gave it one.
        start_us: its beginning, if this process made it.
        is_deleted: whether this process deleted it.
        is_unsure: the database did not tell whether the run was there, and in whose hands, when it was asked for.
    """

    __slots__ = ("ended", "experiment_id", "is_deleted", "is_unsure", "start_us")

    def __init__(self) -> None:
        """Knows nothing yet."""
        self.experiment_id: str | None = None
        self.ended: str | None = None
        self.start_us: int | None = None
        self.is_deleted = False
        self.is_unsure = False
