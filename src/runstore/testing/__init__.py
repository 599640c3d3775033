"""The conformance kit: the contract of ``docs/contract.md`` as tests that any backend can run.

An author writes one test module::

    import pytest
    from runstore.testing import Harness, RunStoreConformance

    class TestMyBackend(RunStoreConformance):
        @pytest.fixture
        def harness(self, tmp_path):
            return MyHarness(tmp_path)

It is installed by the distribution ``runstore-testing``, which brings pytest and hypothesis. Names are loaded on first use, so that a child process that only
writes through a store pays for neither.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from runstore.testing.clauses import CLAUSES, FAMILIES
    from runstore.testing.conformance import RunStoreConformance
    from runstore.testing.harness import Harness, Unsupported, age_files, open_url

__all__ = ["CLAUSES", "FAMILIES", "Harness", "RunStoreConformance", "Unsupported", "age_files", "open_url"]

_HOMES = {
    "CLAUSES": "runstore.testing.clauses",
    "FAMILIES": "runstore.testing.clauses",
    "Harness": "runstore.testing.harness",
    "RunStoreConformance": "runstore.testing.conformance",
    "Unsupported": "runstore.testing.harness",
    "age_files": "runstore.testing.harness",
    "open_url": "runstore.testing.harness",
}


def __getattr__(name: str) -> Any:
    """Loads a public name from its module."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
