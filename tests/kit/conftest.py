"""Whether the kit catches a planted bug depends on neither luck nor profile: the same examples in each of them."""

from collections.abc import Iterator

import pytest
from hypothesis import settings


@pytest.fixture(autouse=True)
def same_examples_each_time(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    before = settings.get_current_profile_name()
    monkeypatch.setenv("RUNSTORE_HYPOTHESIS_PROFILE", "ci")
    settings.load_profile("ci")
    yield
    settings.load_profile(before)
