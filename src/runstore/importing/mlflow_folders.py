"""Where the files lie that a database of MLflow names, if they may be taken from there."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import unquote, urlsplit

ARTIFACTS: Final = "artifacts"
_ROOTS: Final = (".", "mlruns", "mlartifacts")
"""What MLflow calls the folder of all artifacts, where nobody has said otherwise."""


class Place(NamedTuple):
    """What became of a place that a database names.

    Attributes:
        folder: with the files; ``None`` where there is none that may be taken.
        is_elsewhere: whether the files may lie somewhere that was not looked at.
    """

    folder: Path | None
    is_elsewhere: bool


class ArtifactFolders:
    """The folders below which files are taken: a database that somebody else has made could name any file."""

    def __init__(self, own: Path | None, named: Sequence[Path]) -> None:
        """Looks at nothing yet.

        Args:
            own: the folder in which the database lies. Of what it names there only the folders are taken that MLflow makes,
                ``…/ID/artifacts``: it may be somebody's home.
            named: folders that a person has named.
        """
        self._own = None if own is None else own.resolve()
        self._named = [each.resolve() for each in named]

    def find(self, uri: str, experiment_id: str, *owner: str) -> Place:
        """The folder of a run, or of a model.

        Args:
            uri: as the database names it.
            experiment_id: in MLflow.
            owner: the run's id, or ``models`` and the model's: below the experiment's folder it is the usual place.
        """
        parts = urlsplit(uri)
        is_local = bool(uri) and parts.scheme in {"", "file"}
        written = [Path(unquote(parts.path) if parts.scheme else uri)] if is_local else []
        usual = [Path(root, experiment_id, *owner, ARTIFACTS) for root in _ROOTS]
        is_expected = False
        for allowed in (self._own, *self._named):
            if allowed is None:
                continue
            for place in (*written, *usual):
                folder = (allowed / place).resolve()
                is_made_so = folder.parts[-2:] == (owner[-1], ARTIFACTS)
                if (
                    not folder.is_relative_to(allowed)
                    or folder == allowed
                    or not (is_made_so or allowed is not self._own)
                ):
                    continue
                if folder.is_dir():
                    return Place(folder, is_elsewhere=False)
                is_expected |= place in written
        return Place(None, is_elsewhere=bool(uri) and not is_expected)
