"""A change is judged by the same examples each time."""

import os

import pytest
from hypothesis.internal.conjecture import providers


@pytest.mark.skipif(
    os.environ.get("RUNSTORE_HYPOTHESIS_PROFILE") == "deep", reason="draws other examples each time, and is to"
)
def test_examples_do_not_depend_on_the_modules_that_a_process_has_loaded() -> None:
    assert len(providers._get_local_constants()) == 0  # noqa: SLF001 - nothing else tells
