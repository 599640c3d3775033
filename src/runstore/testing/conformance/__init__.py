"""The clauses as tests, one module a family, mixed into one class: :class:`RunStoreConformance`."""

import pytest

_FAMILIES = (
    "_opening",
    "_experiments",
    "_runs",
    "_metrics",
    "_summaries",
    "_charts",
    "_configs",
    "_artifacts",
    "_files",
    "_endings",
    "_changes",
    "_deletions",
    "_late",
    "_restorable",
    "_thinned",
    "_garbage",
    "_placed",
    "_sizes",
    "_durability",
    "_recorded",
    "_going_back",
    "_reading",
    "_people",
    "_facets",
    "_bounds",
    "_filters",
    "_machine",
    "_errors",
)
pytest.register_assert_rewrite(
    *(f"{__name__}.{family}" for family in _FAMILIES), "runstore.testing.model", "runstore.testing.sequences"
)

# The imports follow the line above, so that a failed assertion shows its values.
from runstore.testing.conformance._artifacts import ArtifactClauses  # noqa: E402
from runstore.testing.conformance._base import ConformanceBase, clause, clauses_of, kit_tests  # noqa: E402
from runstore.testing.conformance._bounds import BoundClauses  # noqa: E402
from runstore.testing.conformance._changes import ChangeClauses  # noqa: E402
from runstore.testing.conformance._charts import ChartClauses  # noqa: E402
from runstore.testing.conformance._configs import ConfigClauses  # noqa: E402
from runstore.testing.conformance._deletions import DeletionClauses  # noqa: E402
from runstore.testing.conformance._durability import DurabilityClauses  # noqa: E402
from runstore.testing.conformance._endings import EndingClauses  # noqa: E402
from runstore.testing.conformance._errors import ErrorClauses  # noqa: E402
from runstore.testing.conformance._experiments import ExperimentClauses  # noqa: E402
from runstore.testing.conformance._facets import FacetClauses  # noqa: E402
from runstore.testing.conformance._files import FileClauses  # noqa: E402
from runstore.testing.conformance._filters import FilterClauses  # noqa: E402
from runstore.testing.conformance._garbage import GarbageClauses  # noqa: E402
from runstore.testing.conformance._going_back import GoingBackClauses  # noqa: E402
from runstore.testing.conformance._late import LateClauses  # noqa: E402
from runstore.testing.conformance._machine import MachineClauses  # noqa: E402
from runstore.testing.conformance._metrics import MetricClauses  # noqa: E402
from runstore.testing.conformance._opening import OpeningClauses  # noqa: E402
from runstore.testing.conformance._pages import PageClauses  # noqa: E402
from runstore.testing.conformance._people import PeopleClauses  # noqa: E402
from runstore.testing.conformance._placed import PlacedClauses  # noqa: E402
from runstore.testing.conformance._reading import ReadingClauses  # noqa: E402
from runstore.testing.conformance._recorded import RecordedClauses  # noqa: E402
from runstore.testing.conformance._restorable import RestorableClauses  # noqa: E402
from runstore.testing.conformance._runs import RunClauses  # noqa: E402
from runstore.testing.conformance._sizes import SizeClauses  # noqa: E402
from runstore.testing.conformance._summaries import SummaryClauses  # noqa: E402
from runstore.testing.conformance._thinned import ThinnedClauses  # noqa: E402
from runstore.testing.conformance._thinning import ThinningClauses  # noqa: E402

__all__ = ["ConformanceBase", "RunStoreConformance", "clause", "clauses_of", "kit_tests"]


class RunStoreConformance(
    OpeningClauses,
    ExperimentClauses,
    RunClauses,
    MetricClauses,
    SummaryClauses,
    ChartClauses,
    ConfigClauses,
    ArtifactClauses,
    FileClauses,
    EndingClauses,
    ChangeClauses,
    DeletionClauses,
    LateClauses,
    RestorableClauses,
    ThinningClauses,
    ThinnedClauses,
    GarbageClauses,
    PlacedClauses,
    SizeClauses,
    DurabilityClauses,
    RecordedClauses,
    GoingBackClauses,
    ReadingClauses,
    PageClauses,
    PeopleClauses,
    FacetClauses,
    BoundClauses,
    FilterClauses,
    MachineClauses,
    ErrorClauses,
):
    """The whole contract. Subclass it, give it a ``harness`` fixture, and run pytest."""
