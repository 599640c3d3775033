"""The proof that the kit works: each planted bug is caught by the clause that names it, and the bugless store by none."""

import pytest
from kit.mutants import MUTANTS, MutantHarness
from kit.runner import breaches_of

from runstore.memory import MemoryStore
from runstore.testing import CLAUSES


@pytest.mark.parametrize(("name", "clause"), [(name, clause) for name, (clause, _) in MUTANTS.items()])
def test_a_planted_bug_is_caught_by_the_clause_that_names_it(name: str, clause: str) -> None:
    _, kind = MUTANTS[name]

    found = breaches_of(clause, lambda: MutantHarness(kind))

    assert found, f"{name} was not caught by {clause}: {CLAUSES[clause]}"
    (error,) = found.values()
    assert any(f"{clause} broke on" in note for note in error.__notes__)


@pytest.mark.parametrize("clause", sorted({clause for clause, _ in MUTANTS.values()}))
def test_the_store_without_a_bug_breaks_no_clause(clause: str) -> None:
    assert breaches_of(clause, lambda: MutantHarness(MemoryStore)) == {}
