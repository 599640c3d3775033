"""What a client keeps for itself from round to round (FedBN): its own batch normalisation."""

import dataclasses
import hashlib
from pathlib import Path

import numpy as np

from pneumo_train.collector import file_name_of
from pneumo_train.federating.values import Arrays
from runstore.local.whole_files import replacing

_KEPT = 2
"""A round that the server was killed in is played again, and goes on from the one before."""


def folder_of(place: Path, client: str) -> Path:
    """Where a client's own lies; its name may be a hospital's, which need not be one of a folder, and no two share one."""
    plain = file_name_of(client)
    return place / (plain if plain == client else f"{plain}-{hashlib.sha256(client.encode()).hexdigest()[:16]}")


@dataclasses.dataclass(frozen=True, slots=True)
class Own:
    """The arrays of one client that its next round begins with.

    Attributes:
        folder: this client's.
    """

    folder: Path

    def read(self, number: int) -> Arrays | None:
        """Its arrays after this round, or after the last one before in which it trained; ``None`` if it never has."""
        made = [path for path in self._files() if int(path.stem) <= number]
        if not made:
            return None
        with np.load(made[-1], allow_pickle=False) as content:
            return dict(content)

    def keep(self, number: int, arrays: Arrays) -> None:
        """Keeps its arrays after a round; the file is whole at every moment."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{number:06}.npz"
        with replacing(path, by=self.folder / f"{number:06}.partial") as partial, partial.open("wb") as stream:
            np.savez(stream, **arrays)  # type: ignore[arg-type]  # numpy's stubs see an option among the names
        files = self._files()
        made = files[: files.index(path) + 1]  # one that is later is of a try that the server knows nothing of
        for other in {*files} - {*made[-_KEPT:]}:
            other.unlink(missing_ok=True)

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("*.npz"))
