"""Planted bugs in the configuration (CFG)."""

import time
from collections.abc import Mapping
from typing import Any

from kit.mutants.base import Mutant
from runstore.errors import InvalidValueError
from runstore.values import ConfigDocument
from runstore.values.config import decode_config, encode_config


def deep(value: Any, change: Any) -> Any:
    if isinstance(value, dict):
        return {key: deep(inner, change) for key, inner in value.items()}
    return [deep(inner, change) for inner in value] if isinstance(value, list) else change(value)


class IntegersBecomeFloats(Mutant, breaks="CFG.1"):
    def get_config(self, run_id: str) -> dict[str, Any]:
        config: dict[str, Any] = deep(
            super().get_config(run_id), lambda value: float(value) if type(value) is int and value < 2**53 else value
        )
        return config


class TrueBecomesOne(Mutant, breaks="CFG.1"):
    def get_config(self, run_id: str) -> dict[str, Any]:
        config: dict[str, Any] = deep(
            super().get_config(run_id), lambda value: int(value) if isinstance(value, bool) else value
        )
        return config


class ConfigIsReplaced(Mutant, breaks="CFG.2"):
    def log_config(self, run_id: str, config: Mapping[str, Any]) -> None:
        self._entry(run_id).config = ConfigDocument("{}")
        super().log_config(run_id, config)


class ConfigMergesShallowly(Mutant, breaks="CFG.2"):
    def log_config(self, run_id: str, config: Mapping[str, Any]) -> None:
        before = self.get_config(run_id)
        super().log_config(run_id, config)
        now = {key: self.get_config(run_id)[key] if key not in config else config[key] for key in before | dict(config)}
        self._entry(run_id).config = ConfigDocument(encode_config(now))


class DotsNest(Mutant, breaks="CFG.3"):
    def log_config(self, run_id: str, config: Mapping[str, Any]) -> None:
        nested: dict[str, Any] = {}
        for key, value in config.items():
            head, dot, rest = key.partition(".")
            nested[head] = {rest: value} if dot and rest else value
        super().log_config(run_id, nested)


class ConfigIsWrittenWithoutALock(Mutant, breaks="CFG.6"):
    def log_config(self, run_id: str, config: Mapping[str, Any]) -> None:
        before = decode_config(self._entry(run_id).config.text)
        super().log_config(run_id, config)
        merged = decode_config(self._entry(run_id).config.text)
        time.sleep(0.002)
        mine = {key: merged[key] for key in {**before, **dict(config)}}
        self._entry(run_id).config = ConfigDocument(encode_config(mine))


class LongTextsAreCut(Mutant, breaks="CFG.4"):
    def log_config(self, run_id: str, config: Mapping[str, Any]) -> None:
        super().log_config(
            run_id, deep(dict(config), lambda value: value[:65_535] if isinstance(value, str) else value)
        )


class BadValuesBecomeText(Mutant, breaks="CFG.4"):
    def log_config(self, run_id: str, config: Mapping[str, Any]) -> None:
        super().log_config(run_id, deep(dict(config), lambda value: str(value) if callable(value) else value))


class ConfigsFitIntoATextColumn(Mutant, breaks="CFG.5"):
    def log_config(self, run_id: str, config: Mapping[str, Any]) -> None:
        if len(encode_config(dict(config))) > 65_535:
            raise InvalidValueError(f"the config of run {run_id!r} is longer than 65,535 bytes; log less")
        super().log_config(run_id, config)
