"""ART: bytes first, record last."""

import hashlib
import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from runstore.backend import Store
from runstore.errors import ArtifactNotFoundError, CorruptArtifactError, InvalidValueError, RunStoreError
from runstore.testing import children
from runstore.testing.bench import Bench, at_once, new_run, unique
from runstore.testing.conformance._base import ConformanceBase, clause

CONTENTS = {
    "empty": b"",
    "every byte": bytes(range(256)),
    "one mebibyte and one": os.urandom(2**20 + 1),
}


class ArtifactClauses(ConformanceBase):
    """ART.1 to ART.8."""

    @clause("ART.1")
    @pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
    def test_the_bytes_read_back_are_the_bytes_given(self, bench: Bench, tmp_path: Path, content: bytes) -> None:
        store = bench.open()
        run_id, path = new_run(store), tmp_path / "weights.bin"
        path.write_bytes(content)

        record = store.log_artifact(run_id, path)

        assert (record.name, record.size, record.sha256) == (
            "weights.bin",
            len(content),
            hashlib.sha256(content).hexdigest(),
        )
        assert (record.run_id, record.is_stored, record.artifact_type) == (run_id, True, "file")
        assert read(bench.open(), run_id, "weights.bin") == content
        assert store.list_artifacts(run_id) == (record,)

    @clause("ART.1")
    def test_an_opened_artifact_can_be_read_in_parts_and_from_anywhere(self, store: Store, tmp_path: Path) -> None:
        run_id, path = new_run(store), tmp_path / "weights.bin"
        content = os.urandom(700_000)
        path.write_bytes(content)
        store.log_artifact(run_id, path)

        with store.open_artifact(run_id, "weights.bin") as stream:
            parts = [stream.read(300_000), stream.read(300_000), stream.read()]
            stream.seek(5)
            again = stream.read(10)

        assert (b"".join(parts), again) == (content, content[5:15])

    @clause("ART.1")
    def test_damaged_bytes_are_never_handed_out(self, bench: Bench, tmp_path: Path) -> None:
        empty = bench.fresh()  # other tests keep bytes, too, and the same bytes are kept once
        store = empty.open()
        run_id, path = new_run(store), tmp_path / "weights.bin"
        path.write_bytes(os.urandom(5000))
        store.log_artifact(run_id, path)

        empty.harness.damage_artifact(run_id, "weights.bin")

        with pytest.raises(CorruptArtifactError, match=r"weights\.bin"):
            store.open_artifact(run_id, "weights.bin")

    @clause("ART.2")
    def test_a_directory_with_a_bad_file_records_nothing(self, store: Store, tmp_path: Path) -> None:
        run_id, folder = new_run(store), tmp_path / "folder"
        folder.mkdir()
        (folder / "a.bin").write_bytes(b"a")
        (folder / "b\\c.bin").write_bytes(b"b")

        with pytest.raises(InvalidValueError):
            store.log_artifact(run_id, folder)

        assert store.list_artifacts(run_id) == ()

    @clause("ART.2", "DUR.1")
    def test_a_writer_killed_while_it_logs_leaves_only_whole_artifacts(self, bench: Bench, tmp_path: Path) -> None:
        store = bench.open()
        run_id, path, content = new_run(store), tmp_path / "weights.bin", os.urandom(3_000_000)
        path.write_bytes(content)
        child = bench.child(children.log_artifacts_for_ever, run_id, str(path))

        said = [child.line() for _ in range(5)]  # killed while it logs the third, or on a busy machine a later one
        child.kill()

        found = {record.name for record in store.list_artifacts(run_id)}
        assert said[-1] == "begin 3"
        assert {"file-1.bin", "file-2.bin"} <= found == {f"file-{number + 1}.bin" for number in range(len(found))}
        assert all(read(store, run_id, name) == content for name in found)

    @clause("ART.2", "DUR.2")
    def test_a_connection_cut_at_any_statement_leaves_the_record_whole_or_absent(
        self, bench: Bench, tmp_path: Path
    ) -> None:
        faulty = bench.faulty()
        store = faulty.open()
        path, content = tmp_path / "weights.bin", os.urandom(600_000)
        path.write_bytes(content)

        for statements in range(24):
            run_id, was_refused = new_run(store), False
            with faulty.harness.cut_after(statements) as was_cut:
                try:
                    store.log_artifact(run_id, path)
                except RunStoreError:
                    was_refused = True
                finished = not was_cut()
            found = store.list_artifacts(run_id)
            assert found or was_refused, "an acknowledged artifact is gone"
            assert all(read(store, run_id, each.name) == content for each in found)
            if finished:
                break

    @clause("ART.3")
    @pytest.mark.parametrize(
        "name",
        [
            "",
            "/etc/passwd",
            "../up",
            "a/../../b",
            "a/..",
            ".",
            "a/./b",
            "a//b",
            "a/",
            "back\\slash",
            "nul\0",
            "x" * 256,
        ],
        ids=ascii,
    )
    def test_a_name_that_leaves_the_root_or_is_malformed_is_refused(
        self, store: Store, tmp_path: Path, name: str
    ) -> None:
        run_id, path = new_run(store), tmp_path / "weights.bin"
        path.write_bytes(b"w")
        before = sorted(tmp_path.rglob("*"))

        for copy in (True, False):
            with pytest.raises(InvalidValueError, match="name"):
                store.log_artifact(run_id, path, name=name, copy=copy)

        assert store.list_artifacts(run_id) == ()
        assert sorted(tmp_path.rglob("*")) == before

    @clause("ART.3")
    def test_odd_but_relative_names_are_kept_exactly(self, store: Store, tmp_path: Path) -> None:
        run_id, path = new_run(store), tmp_path / "weights.bin"
        names = [
            "..a",
            "a..",
            "...",
            "a b/c d",
            "$x.y",
            "CON",
            "é",
            "e\u0301",
            "A",
            "a",
            "%2e%2e/%2f",
            "~",
            "🫁/x",
            "-rf",
        ]

        for index, name in enumerate(names):
            path.write_bytes(b"%d" % index)
            store.log_artifact(run_id, path, name=name)

        assert [record.name for record in store.list_artifacts(run_id)] == sorted(names)
        assert [read(store, run_id, name) for name in names] == [b"%d" % index for index in range(len(names))]

    @clause("ART.4")
    def test_the_same_name_again_replaces_the_record(self, store: Store, tmp_path: Path) -> None:
        run_id, path = new_run(store), tmp_path / "best.ckpt"
        path.write_bytes(b"first")
        store.log_artifact(run_id, path, artifact_type="file", metadata={"epoch": 1})
        path.write_bytes(b"second one")

        second = store.log_artifact(run_id, path, artifact_type="model", metadata={"epoch": 2})

        assert store.list_artifacts(run_id) == (second,)
        assert (second.artifact_type, second.metadata, second.size) == ("model", {"epoch": 2}, 10)
        assert read(store, run_id, "best.ckpt") == b"second one"

    @clause("ART.4")
    def test_the_same_bytes_are_kept_once(self, store: Store, tmp_path: Path) -> None:
        run_id, other, path = new_run(store), new_run(store), tmp_path / "weights.bin"
        path.write_bytes(os.urandom(1000))

        records = [
            store.log_artifact(run_id, path, name="a"),
            store.log_artifact(run_id, path, name="b"),
            store.log_artifact(other, path, name="a"),
        ]

        assert len({record.uri for record in records}) == 1
        path.write_bytes(b"other bytes")
        store.log_artifact(run_id, path, name="a")
        assert read(store, other, "a") == read(store, run_id, "b") != b"other bytes"

    @clause("ART.4")
    def test_eight_threads_logging_the_same_bytes_all_succeed(self, bench: Bench, tmp_path: Path) -> None:
        store, other = bench.open(), bench.open()
        run_id, path = new_run(store), tmp_path / "weights.bin"
        path.write_bytes(os.urandom(100_000))

        at_once(lambda index: (store, other)[index % 2].log_artifact(run_id, path, name=f"{index % 4}"), 8)

        assert [record.name for record in store.list_artifacts(run_id)] == ["0", "1", "2", "3"]
        assert read(store, run_id, "3") == path.read_bytes()

    @clause("ART.5")
    def test_a_directory_is_logged_file_by_file(self, store: Store, tmp_path: Path) -> None:
        run_id, folder = new_run(store), tmp_path / "plots"
        (folder / "deep" / "er").mkdir(parents=True)
        contents = {"plots/a.png": b"a", "plots/deep/b.png": b"bb", "plots/deep/er/c.png": b""}
        for name, content in contents.items():
            (tmp_path / name).write_bytes(content)

        whole = store.log_artifact(run_id, folder, artifact_type="image")
        store.log_artifact(run_id, folder, name="again")

        found = [record.name for record in store.list_artifacts(run_id)]
        assert found == sorted([*contents, *(f"again{name.removeprefix('plots')}" for name in contents)])
        assert {record.name for record in whole.parts} == set(contents)
        assert (whole.name, whole.size, {record.artifact_type for record in whole.parts}) == ("plots", 3, {"image"})
        assert {name: read(store, run_id, name) for name in contents} == contents

    @clause("ART.5")
    def test_a_missing_path_is_named_and_nothing_is_recorded(self, store: Store, tmp_path: Path) -> None:
        run_id, absent = new_run(store), tmp_path / "absent.ckpt"

        with pytest.raises(InvalidValueError, match=r"absent\.ckpt"):
            store.log_artifact(run_id, absent)

        assert store.list_artifacts(run_id) == ()

    @clause("ART.6")
    def test_without_copy_the_path_or_uri_alone_is_recorded_and_says_so(self, store: Store, tmp_path: Path) -> None:
        run_id, path, uri = new_run(store), tmp_path / "big.ckpt", "s3://bucket/key%20with?odd=parts"
        path.write_bytes(b"big")

        by_path = store.log_artifact(run_id, path, copy=False)
        by_uri = store.log_artifact(run_id, uri, name="remote", artifact_type="model", copy=False)

        assert (by_path.uri, by_path.is_stored, by_path.sha256, by_path.size) == (str(path), False, None, None)
        assert (by_uri.uri, by_uri.name, by_uri.is_stored) == (uri, "remote", False)
        assert store.list_artifacts(run_id) == (by_path, by_uri)
        for name in ("big.ckpt", "remote"):
            with pytest.raises(ArtifactNotFoundError, match="copy=False"):
                store.open_artifact(run_id, name)

    @clause("ART.7")
    def test_the_file_may_change_or_vanish_once_the_call_has_returned(self, store: Store, tmp_path: Path) -> None:
        run_id, folder = new_run(store), tmp_path / "checkpoints"
        folder.mkdir()
        (folder / "a.ckpt").write_bytes(b"a" * 10_000)
        (folder / "b.ckpt").write_bytes(b"b" * 10_000)

        store.log_artifact(run_id, folder / "a.ckpt")
        store.log_artifact(run_id, folder / "b.ckpt")
        with (folder / "a.ckpt").open("r+b") as file:
            file.write(b"overwritten in place")
        shutil.rmtree(folder)
        folder.mkdir()

        assert read(store, run_id, "a.ckpt") == b"a" * 10_000
        assert read(store, run_id, "b.ckpt") == b"b" * 10_000

    @clause("ART.8")
    def test_records_are_listed_by_name_with_type_metadata_and_time(self, bench: Bench, tmp_path: Path) -> None:
        store = bench.open()
        run_id, path = new_run(store), tmp_path / "f"
        path.write_bytes(b"f")
        metadata = {"score": 0.93, "epoch": 7, "best": True, "nested": {"a.b": [1, 1.0, None, float("inf")]}}
        names = ["b", "B", "a/b", "a", "ä", "a b", "10", "9"]

        for name in names:
            store.log_artifact(run_id, path, name=name, artifact_type="checkpoint", metadata=metadata)

        records = bench.open().list_artifacts(run_id)
        assert [record.name for record in records] == sorted(names)
        assert {record.artifact_type for record in records} == {"checkpoint"}
        assert [repr(record.metadata) for record in records] == [repr(metadata)] * len(names)
        assert all(abs(record.created_at - datetime.now(UTC)) < timedelta(hours=1) for record in records)

    @clause("ART.8")
    def test_an_unknown_artifact_is_named(self, store: Store) -> None:
        run_id, absent = new_run(store), unique("artifact")

        with pytest.raises(ArtifactNotFoundError, match=absent):
            store.open_artifact(run_id, absent)

    @clause("ART.8")
    @pytest.mark.parametrize(
        "given",
        [{"artifact_type": ""}, {"artifact_type": "x" * 51}, {"metadata": {"f": object()}}],
        ids=["empty type", "long type", "metadata"],
    )
    def test_a_type_or_metadata_that_cannot_be_kept_is_refused(
        self, store: Store, tmp_path: Path, given: dict[str, Any]
    ) -> None:
        run_id, path = new_run(store), tmp_path / "f"
        path.write_bytes(b"f")

        with pytest.raises(InvalidValueError, match=next(iter(given))):
            store.log_artifact(run_id, path, **given)

        assert store.list_artifacts(run_id) == ()


def read(store: Store, run_id: str, name: str) -> bytes:
    """All bytes of an artifact."""
    with store.open_artifact(run_id, name) as stream:
        return stream.read()
