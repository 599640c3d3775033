"""What other tools have left, brought into a store: read without those tools, and never twice."""

from runstore.importing.bringing import ImportReport, bring_from
from runstore.importing.recognise import source_at
from runstore.importing.report import Finding, Findings, Told
from runstore.importing.source import Source

__all__ = ["Finding", "Findings", "ImportReport", "Source", "Told", "bring_from", "source_at"]
