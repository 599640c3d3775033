"""Most texts hold nothing that a secret is known by, and are not searched."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from runstore import secrets

_PARTS = ["password", "api_key", "Token", "x", "://", ":", "=", "@", "'", '"', " ", "\t", "\n", "?", "&", "/", "-", "ü"]


@given(st.lists(st.sampled_from(_PARTS), max_size=12).map("".join))
@example("password: x")
@example("password:\tx")
@example("'password':x")
@example('"password" :x')
@example("password=x")
@example("http://x@y")
def test_what_is_not_searched_holds_nothing_that_would_be_found(text: str) -> None:
    assert secrets.redact(text) == secrets._searched(text)  # noqa: SLF001 - the long way, to compare with


@pytest.mark.parametrize(
    "text", ["", "completed", "2026-11-29T19:17:53.123456Z", "/data/runs/model.pt", "sqlite:///x.db"]
)
def test_ids_times_and_paths_are_not_searched(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "_searched", None)

    assert secrets.redact(text) == text
