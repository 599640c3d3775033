"""ART: which local files an artifact means, and what becomes of those that change meanwhile."""

import hashlib
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from runstore.backend import Store
from runstore.errors import InvalidValueError
from runstore.testing.bench import new_run
from runstore.testing.conformance._artifacts import read
from runstore.testing.conformance._base import ConformanceBase, clause

ODD: dict[str, Callable[[Path], None]] = {
    "device": lambda path: path.symlink_to("/dev/null"),
    "broken link": lambda path: path.symlink_to("nowhere"),
    "link to itself": lambda path: path.symlink_to(path.name),
}
"""Makes at a path what is neither a file nor a folder."""
if sys.platform != "win32":
    ODD["named pipe"] = os.mkfifo

ROUNDS_THAT_PROVE = 5
MOST_ROUNDS = 200
"""Whether a file grew while it was read is the scheduler's choice: it is read until that was so a few times."""


class FileClauses(ConformanceBase):
    """ART.5 and ART.9."""

    @clause("ART.5")
    def test_links_to_files_and_folders_are_followed(self, store: Store, tmp_path: Path) -> None:
        run_id, folder, elsewhere = new_run(store), tmp_path / "out", tmp_path / "elsewhere"
        (folder / "deep").mkdir(parents=True)
        (elsewhere / "in").mkdir(parents=True)
        (elsewhere / "in" / "weights.bin").write_bytes(b"w")
        (folder / "checkpoints").symlink_to(elsewhere)
        (folder / "deep" / "latest").symlink_to("../../elsewhere/in")
        (folder / "w.bin").symlink_to(elsewhere / "in" / "weights.bin")

        store.log_artifact(run_id, folder)

        found = [record.name for record in store.list_artifacts(run_id)]
        assert found == ["out/checkpoints/in/weights.bin", "out/deep/latest/weights.bin", "out/w.bin"]
        assert {read(store, run_id, name) for name in found} == {b"w"}

    @clause("ART.5")
    def test_a_link_that_leads_round_in_a_circle_is_not_followed(self, store: Store, tmp_path: Path) -> None:
        run_id, folder = new_run(store), tmp_path / "out"
        (folder / "deep").mkdir(parents=True)
        (folder / "deep" / "a.png").write_bytes(b"a")
        (folder / "self").symlink_to(folder)
        (folder / "deep" / "up").symlink_to("..")

        store.log_artifact(run_id, folder)

        assert [record.name for record in store.list_artifacts(run_id)] == ["out/deep/a.png"]

    @clause("ART.5", "ERR.1")
    @pytest.mark.parametrize("odd", ODD)
    def test_what_is_neither_a_file_nor_a_folder_is_named_and_nothing_is_recorded(
        self, store: Store, tmp_path: Path, odd: str
    ) -> None:
        run_id, folder = new_run(store), tmp_path / "out"
        (folder / "deep").mkdir(parents=True)
        (folder / "a.png").write_bytes(b"a")
        ODD[odd](folder / "deep" / "odd")

        for path in (folder, folder / "deep" / "odd"):
            with pytest.raises(InvalidValueError, match=r"deep/odd"):
                store.log_artifact(run_id, path)

        assert store.list_artifacts(run_id) == ()

    @clause("ART.9")
    def test_a_file_that_grows_for_ever_is_kept_as_it_was_at_some_moment(self, store: Store, tmp_path: Path) -> None:
        run_id, path, is_over = new_run(store), tmp_path / "train.log", threading.Event()
        path.write_bytes(b"epoch 0\n" * 150_000)

        def go_on() -> None:
            with path.open("ab", buffering=0) as log:
                while not is_over.wait(0.0002):  # without a pause a slow store would have gigabytes to read
                    log.write(b"epoch 1\n")

        writer = threading.Thread(target=go_on)
        writer.start()
        try:
            grown = 0
            for number in range(MOST_ROUNDS):
                record = store.log_artifact(run_id, path, name=f"{number}.log")
                size = path.stat().st_size
                kept = read(store, run_id, f"{number}.log")
                assert (record.size, record.sha256) == (len(kept), hashlib.sha256(kept).hexdigest())
                assert kept == path.read_bytes()[: len(kept)]
                grown += size > len(kept)
                if grown == ROUNDS_THAT_PROVE:
                    break
        finally:
            is_over.set()
            writer.join()
