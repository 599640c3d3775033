"""Ids that clients make: what they tell, and that no two are alike."""

import time
import uuid
from concurrent.futures import ThreadPoolExecutor

from runstore.values.ids import new_run_id


def test_a_run_id_is_a_uuid_of_version_7_that_tells_when_it_was_made() -> None:
    before = time.time_ns() // 1_000_000
    made = uuid.UUID(new_run_id())
    after = time.time_ns() // 1_000_000

    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert before <= made.int >> 80 <= after


def test_run_ids_sort_in_the_order_in_which_they_were_made() -> None:
    made = [new_run_id() for _ in range(10_000)]

    assert made == sorted(made)


def test_threads_make_no_id_twice() -> None:
    with ThreadPoolExecutor(16) as threads:
        made = list(threads.map(lambda _: new_run_id(), range(20_000)))

    assert len(set(made)) == 20_000
