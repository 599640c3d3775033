"""The bounds of one record: kept by every backend on its server's default settings, and told before anything is written."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from runstore.backend import Store
from runstore.errors import InvalidValueError
from runstore.model import RunFailure, RunStatus
from runstore.testing.bench import Bench, new_experiment, new_run, state_of
from runstore.testing.conformance._base import ConformanceBase, clause
from runstore.testing.values import merged
from runstore.values.checks import MAX_TAGS_BYTES, MAX_TEXT_LENGTH
from runstore.values.config import MAX_CONFIG_BYTES, MAX_DETAILS_BYTES, MAX_INDEX_BYTES, ConfigDocument

CHARACTERS = {"letters": "x", "quotes": '"', "backslashes": "\\", "four bytes": "\N{PILE OF POO}"}
"""What a database's driver may write as more than it is."""


class SizeClauses(ConformanceBase):
    """RUN.11, CFG.7, ART.10 and FIN.8."""

    @clause("RUN.11")
    @pytest.mark.parametrize("character", CHARACTERS.values(), ids=CHARACTERS)
    def test_a_birth_as_large_as_it_may_be_reads_back_equal(self, bench: Bench, character: str) -> None:
        store = bench.open()
        text = character * MAX_TEXT_LENGTH
        tags = {f"tag {number}": text for number in range(MAX_TAGS_BYTES // (len(text.encode()) + 100))}
        provenance = {"argv": as_json(character, MAX_DETAILS_BYTES)}
        experiment_id = store.get_or_create_experiment(f"{new_experiment(store)} described", description=text)

        run_id = store.ensure_run(experiment_id, source_path=text, tags=tags, provenance=provenance)

        run = bench.open().get_run(run_id)
        assert (run.source_path, run.tags, run.provenance) == (text, tags, provenance)
        assert bench.open().get_experiment(experiment_id).description == text

    @clause("RUN.11")
    @pytest.mark.parametrize(
        ("field", "given"),
        [
            ("tags", {f"tag {number}": "x" * MAX_TEXT_LENGTH for number in range(20)}),
            ("provenance", {"argv": "x" * MAX_DETAILS_BYTES}),
            ("source_path", "x" * (MAX_TEXT_LENGTH + 1)),
        ],
        ids=["tags", "provenance", "source_path"],
    )
    def test_a_birth_beyond_its_bounds_is_refused_and_writes_nothing(
        self, store: Store, field: str, given: Any
    ) -> None:
        experiment_id = new_experiment(store)

        with pytest.raises(InvalidValueError, match=rf"{field}.*at most \d+"):
            store.ensure_run(experiment_id, **{field: given})

        assert store.search_runs(experiment_id=experiment_id).items == ()

    @clause("CFG.7")
    @pytest.mark.parametrize("character", CHARACTERS.values(), ids=CHARACTERS)
    def test_a_config_as_large_as_it_may_be_reads_back_equal(self, bench: Bench, character: str) -> None:
        store = bench.open()
        run_id = new_run(store)
        config = {f"key {number}": as_json(character, MAX_CONFIG_BYTES // 4) for number in range(4)}

        store.log_config(run_id, config)
        store.log_config(run_id, {"key 0": 1})

        assert bench.open().get_config(run_id) == config | {"key 0": 1}

    @clause("CFG.7")
    def test_a_config_with_the_largest_index_reads_back_equal(self, bench: Bench) -> None:
        store = bench.open()
        run_id = new_run(store)
        config: dict[str, Any] = {"k" * 400: {}}
        leaf = ConfigDocument.checked({"k" * 400: {"a" * 20: 1}}).index_bytes
        for number in range(MAX_INDEX_BYTES // leaf):
            config["k" * 400][f"{number:020d}"] = 1

        store.log_config(run_id, config)

        assert bench.open().get_config(run_id) == config

    @clause("CFG.7")
    def test_a_config_that_grows_beyond_its_bounds_is_refused_and_stays_as_it_was(self, store: Store) -> None:
        run_id = new_run(store)
        first, second = {"a": "x" * (2 * 2**20)}, {"b": "x" * (2 * 2**20 + 1)}
        store.log_config(run_id, first)
        before = state_of(store, run_id)

        deep: dict[str, Any] = {"deep": {"k" * 500: {f"{number}": 1 for number in range(20_000)}}}
        for refused in (second, deep):
            refusal = outcome_of(partial(store.log_config, run_id, refused))
            assert refusal is None or "at most" in refusal  # a recorder finds it out when it is stored

        assert state_of(store, run_id) == before

    @clause("CFG.7")
    def test_one_call_beyond_the_bounds_is_refused(self, store: Store) -> None:
        run_id = new_run(store)

        for refused in (
            {"a": "x" * MAX_CONFIG_BYTES},
            {"k" * 500: {f"{number}": 1 for number in range(20_000)}},
        ):
            with pytest.raises(InvalidValueError, match=r"config.*at most \d+"):
                store.log_config(run_id, refused)

        assert store.get_config(run_id) == {}

    @clause("CFG.7", "RUN.11", "FIN.8")
    def test_a_run_whose_every_part_is_as_large_as_it_may_be_is_kept_whole(self, bench: Bench) -> None:
        store = bench.open()
        wide = "\N{PILE OF POO}" * MAX_TEXT_LENGTH
        run_id = new_run(
            store,
            source_path=wide,
            tags={f"tag {number}": wide for number in range(3)},
            provenance={"argv": "x" * (MAX_DETAILS_BYTES - 100)},
        )
        config = {"list": ["x" * 1000] * 2500, "more": {f"{number}": "y" * 100 for number in range(5000)}}

        store.log_config(run_id, config)
        store.log_config(run_id, {"last": True})
        store.finalize(run_id, "failed", error=RunFailure(type="E", message=wide, traceback=wide))

        run = bench.open().get_run(run_id)
        assert run.failure == RunFailure(type="E", message=wide, traceback=wide)
        assert bench.open().get_config(run_id) == merged(config, {"last": True})

    @clause("ART.10")
    @pytest.mark.parametrize("character", CHARACTERS.values(), ids=CHARACTERS)
    def test_metadata_as_large_as_it_may_be_reads_back_equal(
        self, bench: Bench, tmp_path: Path, character: str
    ) -> None:
        store = bench.open()
        run_id, path = new_run(store), tmp_path / "a.bin"
        path.write_bytes(b"a")
        metadata = {"note": as_json(character, MAX_DETAILS_BYTES)}

        store.log_artifact(run_id, path, metadata=metadata)

        assert [record.metadata for record in bench.open().list_artifacts(run_id)] == [metadata]

    @clause("ART.10")
    def test_metadata_beyond_its_bound_is_refused_and_nothing_is_recorded(self, store: Store, tmp_path: Path) -> None:
        run_id, path = new_run(store), tmp_path / "a.bin"
        path.write_bytes(b"a")

        with pytest.raises(InvalidValueError, match=r"metadata.*at most \d+"):
            store.log_artifact(run_id, path, metadata={"note": "x" * MAX_DETAILS_BYTES})

        assert store.list_artifacts(run_id) == ()

    @clause("FIN.8")
    @pytest.mark.parametrize("character", CHARACTERS.values(), ids=CHARACTERS)
    def test_of_a_failure_that_is_too_long_the_middle_is_left_out_and_its_length_told(
        self, bench: Bench, character: str
    ) -> None:
        store = bench.open()
        run_id = new_run(store)
        text = f"begin {character * 30 * MAX_TEXT_LENGTH} end"

        store.finalize(run_id, "failed", error=RunFailure(type="E" * 1000, message=text, traceback=text))

        run = bench.open().get_run(run_id)
        assert run.status == RunStatus.FAILED
        assert run.failure is not None
        for kept in (run.failure.message, run.failure.traceback):
            assert len(kept) <= MAX_TEXT_LENGTH
            assert (kept[:6], kept[-4:]) == ("begin ", " end")
            assert "characters left out" in kept
        assert run.failure.type.startswith("EEE")

    @clause("FIN.8")
    def test_an_exception_that_cannot_be_told_as_text_ends_a_run_all_the_same(self, bench: Bench) -> None:
        class Untold(Exception):  # noqa: N818 - what it lacks is its name
            def __str__(self) -> str:
                raise ValueError("no text")

        store = bench.open()
        run_id = new_run(store)

        store.finalize(run_id, "failed", error=Untold())

        run = bench.open().get_run(run_id)
        assert run.status == RunStatus.FAILED
        assert run.failure is not None
        assert "Untold" in run.failure.type


def as_json(character: str, size: int) -> str:
    """So much of the character that a mapping with one short key takes about ``size`` bytes as JSON."""
    written = {"x": 1, '"': 2, "\\": 2}.get(character, 12)
    return character * ((size - 100) // written)


def outcome_of(call: Callable[[], object]) -> str | None:
    """The text of a refusal; ``None`` when the call was accepted."""
    try:
        call()
    except InvalidValueError as error:
        return str(error)
    return None
