"""An import that is done again leaves alone what somebody has written to a run here."""

from pathlib import Path

from runstore.importing import bring_from, source_at
from runstore.memory import MemoryDatabase, MemoryStore
from runstore.moving import Outcome


def test_a_name_tags_and_a_note_that_were_given_here_stay_when_the_source_grows(tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").write_text("step,loss\n0,0.5\n")
    with MemoryStore(MemoryDatabase()) as store:
        bring_from(source_at(str(tmp_path)), store)
        (run,) = store.iter_runs()
        store.rename_run(run.id, "baseline")
        store.set_tags(run.id, {"fold": "2"})
        store.set_note(run.id, "two films of one patient")
        (tmp_path / "metrics.csv").write_text("step,loss\n0,0.5\n1,0.25\n")

        report = bring_from(source_at(str(tmp_path)), store)

        found = store.get_run(run.id)
        assert report.brought.runs == {Outcome.UPDATED: 1}
        assert (found.name, found.tags, found.note) == ("baseline", {"fold": "2"}, "two films of one patient")
