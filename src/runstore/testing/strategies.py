"""Names and values that break stores, as plain lists and as hypothesis strategies."""

import os
import sys
from datetime import UTC, datetime
from typing import Any, Final

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from runstore.model import DatasetType, MetricPoint

DATASET_TYPES: Final = tuple(str(each) for each in DatasetType)

NASTY_NAMES: Final = (
    "plain",
    "UPPER lower",
    " leading space",
    "trailing space ",
    "/leading/slash",
    "a.b.c",
    ".hidden",
    "$where",
    "$set.a",
    "__proto__",
    "user@host",
    "100%",
    "%s%d%(x)s{0}",
    "_",
    "back\\slash",
    "'; DROP TABLE runs; --",
    '"quoted" `ticked` [bracketed]',
    "<script>alert(1)</script>&amp;",
    ":bind ?1 $1 %(x)s",
    "../../etc/passwd",
    "NULL",
    "nan",
    "1.0",
    "true",
    "straße",
    "é",
    "e\u0301",
    "İstanbul ı",  # noqa: RUF001 - the letters that lower() and upper() confuse
    "中文 ключ عربى",
    "👩🏽‍⚕️🫁",
    "\u200bzero\u200dwidth\u202e",
    "\ufeffbom",
    "\U0010fffd",
    "x" * 255,
    "🫁" * 255,
)
"""Names that every store keeps exactly: 1 to 255 printable characters."""

BAD_NAMES: Final = ("", "x" * 256, "nul\0", "line\nbreak", "tab\t", "\x7f", "\x85", "\ud800")
"""Names that every store refuses."""

NASTY_FLOATS: Final = (
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.1,
    1 / 3,
    5e-324,
    -5e-324,
    2.2250738585072014e-308,
    sys.float_info.max,
    -sys.float_info.max,
    2.0**53 + 2,
    1e16 + 2,
    123456789.123456789,
    float("inf"),
    float("-inf"),
    float("nan"),
)
"""Values that every store keeps bit for bit."""

STEPS: Final = (0, 1, 2, 3, 999, 1000, 1023, 1024, 2**31 - 1, 2**31, 2**53 + 1, 2**63 - 2, 2**63 - 1)
"""Steps around every boundary that an implementation may have."""


def names() -> st.SearchStrategy[str]:
    """Metric, experiment and config names: short ones mostly, so that examples meet again."""
    printable = st.characters(exclude_categories=["Cs", "Cc"])
    return (
        st.sampled_from(("loss", "auroc", "a", "A", "b"))
        | st.sampled_from(NASTY_NAMES)
        | st.text(printable, min_size=1, max_size=20)
    )


def floats() -> st.SearchStrategy[float]:
    """Any float64, the odd ones often."""
    return st.sampled_from(NASTY_FLOATS) | st.floats(width=64) | st.integers(-3, 3).map(float)


def steps() -> st.SearchStrategy[int]:
    """Any step, small ones and boundaries often."""
    return st.integers(0, 6) | st.sampled_from(STEPS) | st.integers(0, 2**63 - 1)


def times() -> st.SearchStrategy[datetime]:
    """Aware UTC times with microseconds, from 1970 to 2100."""
    first, last = datetime(1970, 1, 1), datetime(2100, 1, 1)  # noqa: DTZ001 - hypothesis wants naive bounds
    return st.datetimes(first, last, timezones=st.just(UTC))


def metric_points(metric_names: st.SearchStrategy[str] | None = None) -> st.SearchStrategy[MetricPoint]:
    """Points of few series, so that identities meet."""
    return st.builds(
        MetricPoint,
        name=names() if metric_names is None else metric_names,
        value=floats(),
        step=steps(),
        dataset_type=st.sampled_from(DATASET_TYPES),
        logged_at=times(),
    )


def config_values() -> st.SearchStrategy[Any]:
    """Values of a config: scalars, lists and nested mappings."""
    text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
    scalars = (
        st.none()
        | st.booleans()
        | st.integers(-(2**70), 2**70)
        | st.sampled_from((0, 1, -1, 1.0, 0.0, -0.0, True, False))
        | floats()
        | text
        | st.sampled_from(NASTY_NAMES)
    )
    return st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(config_keys(), inner, max_size=3),
        max_leaves=8,
    )


def config_keys() -> st.SearchStrategy[str]:
    """Keys of a config, the odd ones often."""
    return st.sampled_from(("lr", "model", "a", "b", "", "a.b", "$set", "$float", " ", "a\\", "\\.", ".")) | st.text(
        st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8
    )


def configs() -> st.SearchStrategy[dict[str, Any]]:
    """Whole configs."""
    return st.dictionaries(config_keys(), config_values(), max_size=4)


PROFILES: Final = {"dev": 0.5, "ci": 1.0, "deep": 50.0}
"""What share of the examples that a test asks for each profile tries."""


def profile() -> str:
    """The profile that ``RUNSTORE_HYPOTHESIS_PROFILE`` names; ``dev`` by default."""
    name = os.environ.get("RUNSTORE_HYPOTHESIS_PROFILE", "dev")
    if name not in PROFILES:
        raise ValueError(f"RUNSTORE_HYPOTHESIS_PROFILE is {name!r}; known: {', '.join(PROFILES)}")
    return name


def effort(examples: int, *, share: float = 1.0, **more: Any) -> settings:
    """Hypothesis settings for a test that tries this many examples in the profile ``ci``, or a share of them.

    No deadline, because a server under load is slow but right; no ``explain`` phase, because it runs examples again.
    """
    return settings(
        max_examples=max(2, round(examples * share * PROFILES[profile()])),
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=profile() != "deep",  # the same examples each time: what passes today passes tomorrow
        phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.target, Phase.shrink],
        print_blob=False,
        **more,
    )
