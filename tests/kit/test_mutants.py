"""The proof that the kit works: each planted bug is caught by the clause that names it, and no bug is seen where none is."""

import pytest

from kit.mutants import MUTANTS, MutantHarness
from kit.runner import breaches_of
from runstore.memory import MemoryStore
from runstore.testing import CLAUSES
from runstore.testing.conformance import _endings


@pytest.mark.parametrize(("name", "clause"), [(name, clause) for name, (clause, _) in MUTANTS.items()])
def test_a_planted_bug_is_caught_by_the_clause_that_names_it(
    name: str, clause: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_endings, "LOST_WITHIN_S", 2)
    _, kind = MUTANTS[name]

    found = breaches_of(clause, lambda: MutantHarness(kind))

    assert found, f"{name} was not caught by {clause}: {CLAUSES[clause]}"
    (error,) = found.values()
    assert any(f"{clause} broke on" in note for note in error.__notes__)


def test_at_least_twenty_bugs_are_planted_in_every_family_of_clauses() -> None:
    assert len(MUTANTS) >= 20
    assert {clause.partition(".")[0] for clause, _ in MUTANTS.values()} == {each.partition(".")[0] for each in CLAUSES}


@pytest.mark.parametrize("clause", ["ART.1", "DUR.3", "OPEN.6", "FIN.6", "READ.4", "MET.10"])
def test_the_store_without_a_bug_breaks_no_clause(clause: str) -> None:
    assert breaches_of(clause, lambda: MutantHarness(MemoryStore)) == {}
