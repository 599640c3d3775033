"""One process trains a comparison; a second one with the same command is refused before it changes anything."""

import functools
from pathlib import Path

import pytest

from pneumo_train.comparing.leading import Comparison
from pneumo_train.config.federation import federation_of
from pneumo_train.config.settings import TrainConfig, load_config
from pneumo_train.errors import InUseError
from runstore import RunStatus
from runstore.memory.store import MemoryStore

pytestmark = pytest.mark.training


def test_a_comparison_that_one_process_trains_is_refused_to_a_second_one(
    phantoms: Path, tiny_config: TrainConfig, fast_path: Path
) -> None:
    refusals: list[str] = []

    with MemoryStore() as store:
        same = functools.partial(
            Comparison,
            store=store,
            name="sites",
            experiment="federation",
            source_path=phantoms,
            config=load_config(overrides={"data.test_fraction": 0.3}, base=tiny_config),
            federation=federation_of({"num_clients": 2, "num_rounds": 1}),
            seeds=[1],
            checkpoint_dir=fast_path / "checkpoints",
            logs_dir=fast_path / "logs",
        )

        def try_another(_line: str) -> None:
            with pytest.raises(InUseError) as refused:
                same(tell=lambda _line: None).run()
            refusals.append(str(refused.value))
            raise KeyboardInterrupt  # before anything is trained

        with pytest.raises(KeyboardInterrupt):
            same(tell=try_another).run()
        runs = list(store.iter_runs())

    assert "name = 'sites': another process trains this comparison" in refusals[0]
    assert [(run.name, run.status, run.attempt) for run in runs] == [("sites", RunStatus.INTERRUPTED, 1)]
    assert not (fast_path / "checkpoints" / "comparisons").exists()
