import enum
import functools
from argparse import Namespace
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import attrs
import msgspec
import numpy as np
import pydantic
import pytest
import torch

from runstore.training.hparams import config_of
from runstore.values.config import ConfigDocument

pytestmark = pytest.mark.training


class Color(enum.Enum):
    RED = "red"
    DEEP = (1, 2)


@dataclass
class Augment:
    p: float = 0.5
    sizes: list[int] = field(default_factory=lambda: [1, 2])


class Unreadable:
    def __repr__(self) -> str:
        raise RuntimeError("no")


class Plain:
    pass


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (None, None),
        (True, True),
        (1, 1),
        (1.0, 1.0),
        ("adam", "adam"),
        ([1, (2, 3)], [1, [2, 3]]),
        ({"b": 1, 2: "x", None: 0}, {"b": 1, "2": "x", "None": 0}),
        ({1: "number", "1": "text"}, {"1": "number", "'1'": "text"}),
        (Namespace(lr=0.1, opt=Namespace(name="sgd")), {"lr": 0.1, "opt": {"name": "sgd"}}),
        (OrderedDict(a=1), {"a": 1}),
        (Augment(), {"p": 0.5, "sizes": [1, 2]}),
        ({"b", "a"}, ["a", "b"]),
        (Path("data/x"), "data/x"),
        (Color.RED, "red"),
        (Color.DEEP, "Color.DEEP"),
        (np.float32(0.5), 0.5),
        (np.int64(3), 3),
        (np.array([1])[0] == 1, True),
        (np.array([[1, 2]]), [[1, 2]]),
        (torch.tensor(2.5), 2.5),
        (torch.tensor([1.0, 2.0]), [1.0, 2.0]),
        (torch.device("cpu"), "cpu"),
        (torch.float16, "torch.float16"),
        (torch.zeros(2000), "<torch.Tensor of shape (2000,) and type torch.float32>"),
        (torch.nn.ReLU, "<class torch.nn.modules.activation.ReLU>"),
        (torch.nn.functional.relu, "<function torch.nn.functional.relu>"),
        (torch.nn.ReLU(), "<object torch.nn.modules.activation.ReLU: ReLU()>"),
        (Unreadable(), "<unreadable test_hparams.Unreadable: RuntimeError>"),
        (Plain(), "<object test_hparams.Plain: <test_hparams.Plain object>>"),
        ("nul\0 and \udcff", "nul\\x00 and \\udcff"),
    ],
)
def test_a_value_of_any_kind_is_kept(given: object, kept: object) -> None:
    config = config_of({"value": given})

    assert config == {"value": kept}
    assert type(config["value"]) is type(kept)
    assert ConfigDocument.checked(config).values == config


def test_a_partial_is_kept_as_text_that_tells_its_function_and_arguments() -> None:
    config = config_of({"opt": functools.partial(torch.optim.SGD, lr=0.1)})

    assert config == {"opt": "<partial of <class torch.optim.sgd.SGD>: args=(), kwargs={'lr': 0.1}>"}


def test_a_structure_that_holds_itself_ends() -> None:
    loop: dict[str, Any] = {}
    loop["again"] = loop

    assert config_of(loop) == {"again": "<loop or too deep: builtins.dict>"}


def test_a_structure_without_end_is_cut_off_with_a_mark() -> None:
    deep: dict[str, Any] = {}
    inner = deep
    for _level in range(200):
        inner["d"] = inner = {}

    config = config_of(deep)

    assert "<loop or too deep: builtins.dict>" in repr(config)
    assert ConfigDocument.checked(config).values == config


def test_a_key_that_no_store_keeps_costs_that_key_alone() -> None:
    config = config_of({"lr": 0.1, "nested": {"k" * 600: 1}})

    assert config["lr"] == 0.1
    assert config["nested"].startswith("<not kept: ")


def test_what_is_no_mapping_is_kept_under_one_key() -> None:
    assert config_of([1, 2]) == {"hparams": [1, 2]}
    assert config_of(None) == {}


def test_the_same_program_gives_the_same_config() -> None:
    given = {"object": Plain(), "function": lambda x: x, "set": {"c", "a", "b"}}

    assert config_of(given) == config_of({**given, "object": Plain()})


def test_interpolations_of_omegaconf_are_resolved_and_what_cannot_be_stays_as_it_is_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    omegaconf = pytest.importorskip("omegaconf", reason="omegaconf is not installed")
    monkeypatch.setenv("HF_TOKEN", "hf_0123456789")
    monkeypatch.setenv("BATCH", "32")
    given = omegaconf.OmegaConf.create(
        {
            "lr": 0.1,
            "opt": {"name": "sgd", "lr": "${lr}", "half": "${.lr}"},
            "same": "${opt}",
            "list": ["${lr}", "plain"],
            "batch": "${oc.env:BATCH}",
            "token": "${oc.env:HF_TOKEN}",
            "header": "Bearer ${token}",
            "nowhere": "${no.such.key}",
            "missing": "???",
        }
    )

    assert config_of(given) == {
        "lr": 0.1,
        "opt": {"name": "sgd", "lr": 0.1, "half": 0.1},
        "same": {"name": "sgd", "lr": 0.1, "half": 0.1},
        "list": [0.1, "plain"],
        "batch": "32",
        "token": "${oc.env:HF_TOKEN}",
        "header": "Bearer ${token}",
        "nowhere": "${no.such.key}",
        "missing": "???",
    }
    assert config_of(given.opt) == {"name": "sgd", "lr": 0.1, "half": 0.1}


class Optimizer(msgspec.Struct):
    lr: float
    betas: tuple[float, float] = (0.9, 0.999)


@attrs.frozen
class Scheduler:
    warmup: int = 3


class Train(pydantic.BaseModel):
    optimizer: Any
    token: pydantic.SecretStr
    data: Path = Path("/data")


def test_models_of_pydantic_classes_of_attrs_and_structs_of_msgspec_are_mappings() -> None:
    token = pydantic.SecretStr("hunter2")

    assert config_of(Train(optimizer={"of": Optimizer(0.1), "with": Scheduler()}, token=token)) == {
        "optimizer": {"of": {"lr": 0.1, "betas": [0.9, 0.999]}, "with": {"warmup": 3}},
        "token": "<object pydantic.types.SecretStr: SecretStr('**********')>",
        "data": "/data",
    }
