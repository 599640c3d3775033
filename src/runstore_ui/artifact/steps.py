"""What was kept over the steps of a training: the files of one series, and where in it one stands."""

from collections.abc import Sequence

from msgspec import Struct

from runstore.media import list_series
from runstore.model import Artifact
from runstore.protocol import RunReader


class Steps(Struct, frozen=True, kw_only=True):
    """A series of files.

    Attributes:
        name: of the series.
        files: the artifact's name of each, with its step.
        index: which of them is looked at.
    """

    name: str
    files: Sequence[tuple[str, int]]
    index: int

    @property
    def before(self) -> str | None:
        """The name of the file of the step before."""
        return self.files[self.index - 1][0] if self.index else None

    @property
    def after(self) -> str | None:
        """The name of the file of the next step."""
        return self.files[self.index + 1][0] if self.index + 1 < len(self.files) else None


def steps_of(reader: RunReader, artifact: Artifact) -> Steps | None:
    """The series that a file belongs to; ``None`` where it stands alone."""
    for name, items in list_series(reader, artifact.run_id).items():
        files = [(item.artifact.name, item.step) for item in items if item.step is not None]
        for index, (each, _) in enumerate(files):
            if each == artifact.name:
                return Steps(name=name, files=files, index=index) if len(files) > 1 else None
    return None
