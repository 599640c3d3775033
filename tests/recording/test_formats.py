"""Journals of every format that a release has written are read for ever."""

import math
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from runstore.errors import CorruptArtifactError
from runstore.memory.store import MemoryStore
from runstore.model import RunStatus
from runstore.recording.adoption import Leftover
from runstore.recording.drain import TryLaterError
from runstore.recording.frames import PREAMBLE_SIZE, frame, preamble, version_of
from runstore.recording.journal import Journal
from runstore.recording.records import (
    ArtifactRecord,
    ExperimentRecord,
    MetricsRecord,
    RunRecord,
    StagedFile,
    encode,
    encode_points,
)
from runstore.series import Points
from runstore.values import experiment_id_of
from support.walking import found_below

FORMAT_1 = Path(__file__).parent / "format-1"
"""The journal of a writer of format 1 that was closed while the database was away."""


def drain(folder: Path, store: MemoryStore) -> Leftover:
    journal = Journal.adopt(folder)
    assert journal is not None
    leftover = Leftover(journal)
    while leftover.step(store):
        pass
    return leftover


def write(folder: Path, payloads: list[bytes], *, head: bytes | None = None) -> Path:
    folder.mkdir()
    (folder / "writer.lock").touch()
    content = (preamble() if head is None else head) + b"".join(map(frame, payloads))
    (folder / "00000000000000000000.segment").write_bytes(content)
    return folder


def run_record(run_id: str) -> RunRecord:
    return RunRecord(
        at_us=1,
        run_id=run_id,
        experiment_id=experiment_id_of("x"),
        training_mode="centralized",
        parent_run_id=None,
        client_id=None,
        name=None,
        source_path=None,
        tags={},
        provenance="{}",
        start_us=1,
        resume=False,
    )


def test_a_journal_of_format_1_is_stored_whole(bare: MemoryStore, fast_path: Path) -> None:
    folder = fast_path / "writer"
    shutil.copytree(FORMAT_1, folder)

    leftover = drain(folder, bare)

    run = bare.get_run("run-1")
    assert version_of((FORMAT_1 / "00000000000000000000.segment").read_bytes()) == 1
    assert (leftover.counts.quarantined, leftover.counts.damaged_bytes) == (0, 0)
    assert (run.name, run.tags, run.provenance) == ("n", {"a": "b"}, {"git": {"commit": "abc"}})
    assert (run.start_time, run.end_time) == (datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 1, 5, tzinfo=UTC))
    assert (run.status, run.attempt) == (RunStatus.FAILED, 2)
    assert run.failure is not None
    assert run.failure.message == "bad"
    assert bare.get_experiment(run.experiment_id).description == "d"
    config = bare.get_config("run-1")
    assert (config["lr"], config["big"], math.isnan(config["nan"])) == (0.1, 2**70, True)
    loss = bare.get_history("run-1", "loss", "train")
    assert (list(loss.steps), list(loss.values)) == ([0, 1, 2], [0.0, 0.25, 1.0])
    assert list(bare.get_history("run-1", "auroc", "validation").values) == [math.inf]
    (largest,) = bare.get_history("run-1", "Größe", "other")
    assert (largest.step, largest.value, largest.logged_at) == (2**62, 7.0, datetime(2026, 1, 3, tzinfo=UTC))
    artifacts = {artifact.name: artifact for artifact in bare.list_artifacts("run-1")}
    assert (artifacts["weights.bin"].metadata, artifacts["far"].uri) == ({"epoch": 3}, "s3://bucket/key")
    with bare.open_artifact("run-1", "folder/inner/a.txt") as stream:
        assert stream.read() == b"in a folder"


def test_records_of_both_formats_may_stand_in_one_journal(bare: MemoryStore, fast_path: Path) -> None:
    records = [
        encode(ExperimentRecord(at_us=1, name="x", description=None)),
        encode(run_record("r")),
        encode(MetricsRecord(at_us=2, run_id="r", points=[("loss", "train", 1, 0.5, 2), ("loss", "train", 2, 0.5, 2)])),
        encode_points(Points([("loss", "train"), ("loss", "train")], [2, 3], [0.25, 0.125], 3), "r"),
        encode(MetricsRecord(at_us=4, run_id="r", points=[("loss", "train", 3, 8.0, 4)])),
        encode_points(Points([("auroc", "test"), ("loss", "train")], [4, 4], [1.0, 2.0], [5, 6]), "r"),
    ]

    drain(write(fast_path / "writer", records), bare)

    loss = bare.get_history("r", "loss", "train")
    assert (list(loss.steps), list(loss.values)) == ([1, 2, 3, 4], [0.5, 0.25, 8.0, 2.0])
    assert list(loss.logged_at_us) == [2, 3, 4, 6]
    assert list(bare.get_history("r", "auroc", "test").logged_at_us) == [5]


def test_a_release_that_knows_format_1_alone_leaves_new_journals_to_newer_ones(fast_path: Path) -> None:
    journal = Journal.create(fast_path)
    journal.append(encode_points(Points([("loss", "train")], [1], [0.5], 1), "r"))
    journal.close(remove=False)

    (segment,) = found_below(journal.folder, "*.segment")

    assert version_of(segment.read_bytes()[:PREAMBLE_SIZE]) == 2


def test_staged_bytes_that_were_changed_on_the_disk_are_not_stored_as_what_was_logged(
    bare: MemoryStore, fast_path: Path
) -> None:
    sha256 = "b1f51a511f1da0cd348b8f8598db32e61cb963e5fc69e2b41485bf99590ed75a"
    records = [
        encode(ExperimentRecord(at_us=1, name="x", description=None)),
        encode(run_record("r")),
        encode(
            ArtifactRecord(
                at_us=1,
                run_id="r",
                source="staged/1/bytes",
                is_staged=True,
                name="weights.bin",
                artifact_type="file",
                copy=True,
                metadata="{}",
                sha256=sha256,
                files=[StagedFile(".", "weights.bin", sha256)],
            )
        ),
    ]
    folder = write(fast_path / "writer", records)
    (folder / "staged" / "1").mkdir(parents=True)
    (folder / "staged" / "1" / "bytes").write_bytes(b"other bytes")

    with pytest.raises(TryLaterError) as later:
        drain(folder, bare)

    assert isinstance(later.value.__cause__, CorruptArtifactError)
    assert bare.list_artifacts("r") == ()
