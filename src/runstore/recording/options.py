"""How a recorder behaves, and what it remembers of the runs of its process."""

from pathlib import Path

from msgspec import Struct

from runstore.recording.journal import Fsync


class RecorderOptions(Struct, frozen=True, kw_only=True):
    """How a recorder behaves.

    Attributes:
        state_dir: where journals lie; ``RUNSTORE_STATE_DIR`` or the user's state directory by default.
        fsync: ``"interval"`` asks the disk to keep what was written once a second, ``"always"`` at every call (slow,
            and safe against power cuts), ``"never"`` leaves it to the operating system.
        kept_bytes: so much of the journal stays on disk once the database has acknowledged it, to be sent again should the
            database forget it; ``RUNSTORE_KEPT_MB`` or 256 MB by default.
        kept_bytes_in_all: the same of all journals in the state directory; ``RUNSTORE_KEPT_MB_IN_ALL`` or 2,048 MB by default.
        kept_days: for so many days also after the writer's end; ``RUNSTORE_KEPT_DAYS`` or 7 by default.
        open_deadline_s: how long ``open_store`` waits for a database that neither lets us in nor turns us away; three
            times as long while it is this machine that is slow.
        confirm_s: how long a verb that the store may refuse waits for its verdict while the store answers.
        read_deadline_s: how long a read waits for a database that takes none of the records before it.
        close_deadline_s: how long ``close`` waits for a database that takes no record; what is left waits on disk.
        exit_deadline_s: the same when the process ends without ``close``; on SIGTERM it is the bound of it all.
        away_deadline_s: what both come down to when the database was away when it was asked last.
        leave_limit_s: how long ``close``, the end of the process or a read waits at most while records go through.
    """

    state_dir: Path | None = None
    fsync: Fsync = "interval"
    kept_bytes: int | None = None
    kept_bytes_in_all: int | None = None
    kept_days: int | None = None
    open_deadline_s: float = 20.0
    confirm_s: float = 5.0
    read_deadline_s: float = 30.0
    close_deadline_s: float = 30.0
    exit_deadline_s: float = 10.0
    away_deadline_s: float = 2.0
    leave_limit_s: float = 3600.0
