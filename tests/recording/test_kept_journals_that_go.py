"""Kept journals are counted while another process removes them."""

import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from runstore.recording.keeping import KEPT, Keeping, trim
from runstore.recording.segments import SUFFIX


def test_a_kept_journal_that_is_removed_while_all_are_counted_is_no_trouble(fast_path: Path) -> None:
    kept = fast_path / "journals" / "store" / KEPT / "writer"
    keeping = Keeping(writer_bytes=1, all_bytes=10**9, days=10**6)  # nothing is given up by the one that counts
    is_over = threading.Event()

    def make_and_remove() -> None:
        while not is_over.is_set():
            kept.mkdir(parents=True)
            (kept / f"1{SUFFIX}").touch()
            shutil.rmtree(kept)

    with ThreadPoolExecutor(1) as threads:
        done = threads.submit(make_and_remove)
        try:
            for _ in range(3_000):
                trim(fast_path, keeping)
        finally:
            is_over.set()
            done.result()
