"""Journals that nobody wants in their store any more: found by what a person has in hand, and removed when told to."""

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from msgspec import Struct

from runstore.errors import SettingsError
from runstore.local.locks import take_lock
from runstore.recording.adoption import QUARANTINE, adopt
from runstore.recording.cursor import DEAD_LETTERS
from runstore.recording.keeping import CHANGES, KEPT, kept_journals
from runstore.recording.places import identity_of, noted_stores
from runstore.recording.source import JournalSource
from runstore.recording.writers import LOCK_NAME, leftovers, remove_folder


class DiscardReport(Struct, kw_only=True):
    """What :func:`discard_journals` removed.

    Attributes:
        journals: how many dead writers' journals.
        records: how many records waited in them.
        refused: how many records that the store had refused.
        alive: how many journals were left alone, because their writers live.
    """

    journals: int = 0
    records: int = 0
    refused: int = 0
    alive: int = 0


def find_journals(named: str, base: Path) -> list[Path]:
    """The journals of dead and living writers that a person means: by a store's URL, or by a folder that a message named.

    Args:
        named: a store's URL, with or without its password; the folder of one journal, or of a store's journals.
        base: the state directory.

    Raises:
        SettingsError: there are none; says of which stores there are.
    """
    noted = noted_stores(base)
    folder = Path(named).expanduser().absolute()
    if "://" in named:
        found = noted.get(identity_of(named))
        roots: Iterable[Path] = () if found is None else found.folders
    else:
        roots = [root for each in noted.values() for root in each.folders if root in {folder, folder.parent}]
    journals = [each for root in roots for each in leftovers(root) if folder in {each, root} or "://" in named]
    if not journals and not (roots and list(_letters(roots))):
        known = ", ".join(identity for identity, each in noted.items() if any(map(leftovers, each.folders)))
        others = f"journals wait for {known}" if known else "nothing waits on this machine"
        raise SettingsError(f"no journal waits for {named}; {others}")
    return journals


def discard_journals(named: str, base: Path) -> DiscardReport:
    """Removes the journals that a person means, and with a whole store's ones what it refused, and what is kept of ended runs.

    Living writers keep theirs.

    Raises:
        SettingsError: there are none.
    """
    done = DiscardReport()
    journals = find_journals(named, base)
    for folder in journals:
        adopted = adopt(folder)
        if adopted is None:
            done.alive += 1
            continue
        source = JournalSource(adopted.journal, adopted.drain.position)
        while (read := source.read()) is not None:
            done.records += len(read[0].records)
        adopted.journal.close(remove=True)
        done.journals += 1
    if "://" in named:
        for letters in _letters(noted_stores(base)[identity_of(named)].folders):
            done.refused += sum(1 for line in letters.read_bytes().splitlines() if line.strip())
            shutil.rmtree(letters.parent, ignore_errors=True)
        for root in noted_stores(base)[identity_of(named)].folders:
            for kept in kept_journals(root):
                lock = take_lock(kept / LOCK_NAME)
                if lock is not None:  # else somebody is just comparing it
                    remove_folder(kept, lock)
            shutil.rmtree(root / KEPT / CHANGES, ignore_errors=True)
    return done


def _letters(roots: Iterable[Path]) -> Sequence[Path]:
    return [letters for root in roots for letters in sorted(root.glob(f"{QUARANTINE}/*/{DEAD_LETTERS}"))]
