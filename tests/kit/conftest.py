"""Whether the kit catches a planted bug must not depend on luck: each generated test draws the same examples each time."""

from collections.abc import Iterator

import pytest
from hypothesis import settings


@pytest.fixture(autouse=True)
def same_examples_each_time() -> Iterator[None]:
    before = settings.get_current_profile_name()
    settings.register_profile("repeated", settings.get_profile(before), derandomize=True, database=None)
    settings.load_profile("repeated")
    yield
    settings.load_profile(before)
