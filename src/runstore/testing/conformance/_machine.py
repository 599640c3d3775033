"""Everything at once: the state machine of :mod:`runstore.testing.stateful` as a test."""

from pathlib import Path

from runstore.testing.bench import Bench
from runstore.testing.conformance._base import ConformanceBase, clause
from runstore.testing.stateful import run_machine
from runstore.testing.strategies import effort


class MachineClauses(ConformanceBase):
    """The clauses that only show when verbs, reads, handles and processes mix."""

    @clause("MET.1", "MET.8", "CFG.2", "ART.4", "FIN.2", "RUN.2", "RUN.6", "READ.6", "CHG.2", "CHG.5", "CHG.6")
    def test_any_sequence_of_calls_through_any_handle_reads_back_as_plain_dictionaries_say(
        self, bench: Bench, tmp_path: Path
    ) -> None:
        run_machine(bench, tmp_path, settings=effort(10, share=bench.harness.effort))
