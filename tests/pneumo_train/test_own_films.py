"""A client that has its films where it is: the server's settings, and its own films."""

from pathlib import Path

import numpy as np
import pytest

from pneumo_train.config.settings import TrainConfig, load_config
from pneumo_train.federating.own_films import OwnFilms
from pneumo_train.federating.plans import Plan, parts_of, read_plan
from pneumo_train.federating.values import Request
from pneumo_train.preparing.reading import read_source
from support.federations import SMALL

pytestmark = pytest.mark.training

OF_THE_SERVER = {"data.image_size": 40, "data.csv_filename": "of_the_server.csv", "data.patient_column": "case"}


def test_a_client_trains_on_its_own_films_read_its_own_way_in_the_size_that_the_server_says(
    phantoms: Path, tiny_config: TrainConfig, fast_path: Path
) -> None:
    from pneumo_train.federating.weights import arrays_of  # noqa: PLC0415 - it brings torch
    from pneumo_train.network.classifier import LitClassifier  # noqa: PLC0415 - as above

    told = load_config(overrides={**SMALL, **OF_THE_SERVER}, base=tiny_config)
    model = LitClassifier.from_config(told, pos_weight=1.0)
    plan = Plan(
        client="",
        train=(),
        validation=(),
        config=told,
        network=dict(model.hparams),
        local_epochs=1,
        proximal_mu=0.0,
        own="/a/folder/of/the/server",
    )
    sent = arrays_of(model)
    request = Request(
        task="train", round=1, client="north", arrays=sent, learning_rate=0.01, timeout=60, plan=plan.text()
    )
    with read_source(phantoms, tiny_config, is_split=False) as reading:
        split = parts_of("north", reading.samples, tiny_config.data, seed=1)

        (fast_path / "work").mkdir()
        answer = OwnFilms(fast_path / "work", fast_path / "kept", split, reading.source.config)(request)

    assert (answer.client, answer.num_examples) == ("north", len(split.train))
    assert set(answer.arrays) == set(sent)
    assert any(not np.array_equal(array, sent[name]) for name, array in answer.arrays.items())
    (path,) = (fast_path / "work").glob("*/*.json")
    kept = read_plan(path)
    assert (kept.train, kept.validation) == (split.train, split.validation)
    assert kept.config.data.image_size == 40
    assert kept.config.data.patient_column == "source_patient"
    assert kept.config.data.csv_filename != "of_the_server.csv"
    assert kept.own is not None
    assert Path(kept.own).parent == fast_path / "kept"
    assert [file.name for file in Path(kept.own).iterdir()] == ["000001.npz"]
