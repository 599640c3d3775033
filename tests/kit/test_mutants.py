"""The proof that the kit works: each planted bug is caught by the clause that names it, and no bug is seen where none is."""

import pytest

from kit.mutants.base import MutantHarness
from kit.mutants.catalogue import MUTANTS
from kit.mutants.sql import SqlMutant
from kit.mutants.sql_harness import harness_of
from kit.mutants.thinned import Thinner
from kit.runner import breaches_of
from runstore.memory.store import MemoryStore
from runstore.testing import CLAUSES
from runstore.testing.conformance import _endings
from support import session

ON_SQL = [*(f"OPEN.{number}" for number in range(1, 6)), "DUR.1", "DUR.4", "DUR.5"]
"""The clauses whose bugs are planted in the SQL backend."""


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.server] if planted.server else []) for name, planted in MUTANTS.items()],
)
def test_a_planted_bug_is_caught_by_the_clause_that_names_it(
    name: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setattr(_endings, "LOST_WITHIN_S", 2)
    clause, make_harness, server = MUTANTS[name]
    if server:
        session.server_or_skip(server, request)

    found = breaches_of(clause, make_harness)

    assert found, f"{name} was not caught by {clause}: {CLAUSES[clause]}"
    (error,) = found.values()
    assert any(f"{clause} broke on" in note for note in error.__notes__)


def test_every_clause_has_a_planted_bug_that_needs_no_server() -> None:
    assert sorted(set(CLAUSES) - {planted.clause for planted in MUTANTS.values() if not planted.server}) == []


@pytest.mark.parametrize(
    "clause", ["ART.1", "DUR.3", "OPEN.6", "FIN.6", "READ.1", "READ.4", "MET.10", "DUR.7", "ERR.2"]
)
def test_the_store_without_a_bug_breaks_no_clause(clause: str) -> None:
    assert breaches_of(clause, lambda: MutantHarness(MemoryStore)) == {}


@pytest.mark.parametrize("clause", ["CHG.9", "CHG.13"])
def test_a_store_that_thins_without_a_bug_breaks_no_clause(clause: str) -> None:
    assert breaches_of(clause, lambda: MutantHarness(Thinner)) == {}


@pytest.mark.parametrize("clause", ON_SQL)
def test_the_sqlite_store_without_a_bug_breaks_no_clause(clause: str) -> None:
    assert breaches_of(clause, lambda: harness_of(SqlMutant, "")) == {}


@pytest.mark.server
def test_the_postgresql_store_without_a_bug_breaks_no_clause(request: pytest.FixtureRequest) -> None:
    session.server_or_skip("postgresql", request)

    assert breaches_of("DUR.5", lambda: harness_of(SqlMutant, "postgresql")) == {}
