"""One import: a source's runs into a store, and all that there is to tell of it."""

from msgspec import Struct

from runstore.backend import BackendStore
from runstore.importing.report import Finding, Findings
from runstore.importing.source import Source
from runstore.moving import Outcome, Progress, Report, bring


class ImportReport(Struct, frozen=True, kw_only=True):
    """What was brought, and what of the source is not in the store as it was.

    Attributes:
        format: of the source.
        source: its place, without secrets.
        brought: the counts.
        findings: what was folded, dropped or could not be read, by run.
        experiments: how many experiments without runs came, too.
    """

    format: str
    source: str
    brought: Report
    findings: tuple[Finding, ...]
    experiments: int = 0

    @property
    def is_whole(self) -> bool:
        """Whether every run that could be asked for is in the store."""
        is_read = not any(each.what.is_failure for each in self.findings)
        return is_read and self.brought.is_whole and not self.brought.runs.get(Outcome.REFUSED)


def bring_from(source: Source, store: BackendStore, *, told: Progress | None = None) -> ImportReport:
    """Brings each run of a source into a store. A second time changes nothing but what has changed in the source.

    The name, tags and note that somebody has given a run here stay.

    Args:
        source: it is closed afterwards.
        store: opened to write, without a recorder.
        told: who is told how it goes.

    Raises:
        SourceError: the source as a whole cannot be read.
        StoreUnavailableError, StoreFailureError: the store, or the source's database, cannot go on; what was brought is there.
    """
    findings = Findings()
    try:
        report = bring(store, source.runs(findings), keeps_changes=True, told=told)
        experiments = 0
        for experiment in source.experiments(findings):
            store.make_experiment(experiment)
            experiments += 1
    finally:
        source.close()
    return ImportReport(
        format=source.format,
        source=source.shown,
        brought=report,
        findings=tuple(findings),
        experiments=experiments,
    )
