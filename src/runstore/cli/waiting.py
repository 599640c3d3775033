"""What waits in the journals of this machine, as ``runstore sync --list`` tells it."""

from pathlib import Path

from runstore.cli.output.programs import print_json
from runstore.cli.output.tables import Column, print_table
from runstore.cli.output.text import print_line
from runstore.recording.places import identity_of
from runstore.recording.waiting import list_waiting
from runstore.texts import size_text, time_text, time_zone


def print_waiting(url: str | None, base: Path, *, as_json: bool) -> None:
    """A line for each store.

    Args:
        url: only what waits for this store.
        base: the state directory.
        as_json: whether a program reads it: with each journal's folder.
    """
    wanted = None if url is None else identity_of(url)
    found = [each for each in list_waiting(base) if wanted in {None, each.store}]
    if as_json:
        print_json(found)
        return
    if not found:
        print_line("nothing waits")
        return
    rows = []
    for each in found:
        since = min((journal.since for journal in each.journals), default=None)
        rows.append(
            [
                each.store,
                str(len(each.left)),
                str(len(each.journals) - len(each.left)),
                size_text(sum(journal.bytes for journal in each.journals)),
                "" if since is None else time_text(since),
                str(each.refused),
            ]
        )
    print_table(
        [
            Column("store"),
            Column("left by\ndead writers", is_number=True),
            Column("of living\nones", is_number=True, goes=2),
            Column("size", is_number=True),
            Column(f"since\n({time_zone()})", goes=1),
            Column("refused", is_number=True, goes=3),
        ],
        rows,
    )
    if any(each.left for each in found):
        print_line("`runstore sync` stores what dead writers left; living ones do so by themselves.", err=True)
    if any(each.refused for each in found):
        print_line("`runstore sync --requeue` sends once more what was refused.", err=True)
