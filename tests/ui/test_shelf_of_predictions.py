"""Predictions are read once, and what is kept of them stays small."""

from collections.abc import Iterator

import pytest

from runstore.errors import SourceError
from runstore.memory.store import MemoryStore
from runstore.model import Artifact
from runstore.predictions import media_of
from runstore_ui.judging import Choice, Shelf
from support.judged_stores import films, kinds


@pytest.fixture
def store() -> Iterator[MemoryStore]:
    with MemoryStore() as opened:
        opened.ensure_run(opened.get_or_create_experiment("e"), run_id="run")
        yield opened


def kept(store: MemoryStore, name: str) -> Artifact:
    made = films() if name.startswith("films") else kinds()
    return media_of(made, name).keep(store, "run")


def test_a_file_is_read_once_whatever_is_chosen(store: MemoryStore) -> None:
    shelf, artifact = Shelf(), kept(store, "films")

    first = shelf.judged(store, artifact, Choice())
    part = shelf.judged(store, artifact, Choice(only=(("split", "test"),)))

    assert shelf.judged(store, artifact, Choice()) is first
    assert part.predictions is first.predictions


def test_the_same_bytes_under_another_name_are_not_read_again(store: MemoryStore) -> None:
    shelf = Shelf()

    assert shelf.judged(store, kept(store, "films"), Choice()) is shelf.judged(store, kept(store, "films2"), Choice())


def test_of_many_files_the_last_ones_are_kept(store: MemoryStore) -> None:
    shelf = Shelf(most_rows=650)
    large, small = kept(store, "films"), kept(store, "kinds")
    first_large = shelf.judged(store, large, Choice())
    first_small = shelf.judged(store, small, Choice())

    assert shelf.judged(store, small, Choice()) is first_small
    assert shelf.judged(store, large, Choice()).predictions is not first_large.predictions


def test_a_file_of_more_rows_than_the_page_computes_is_refused(store: MemoryStore) -> None:
    with pytest.raises(SourceError, match=r"films\.csv\.gz: there are more than 599 rows; divide the file"):
        Shelf(most_rows=599).judged(store, kept(store, "films"), Choice())
