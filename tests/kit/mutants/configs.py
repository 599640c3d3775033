"""Planted bugs in the configuration (CFG)."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from kit.mutants.base import Front, Mutant
from runstore.errors import InvalidValueError
from runstore.values import ConfigDocument, decode_config, encode_config


def deep(value: Any, change: Any) -> Any:
    if isinstance(value, dict):
        return {key: deep(inner, change) for key, inner in value.items()}
    return [deep(inner, change) for inner in value] if isinstance(value, list) else change(value)


def document(values: Mapping[str, Any]) -> ConfigDocument:
    return ConfigDocument(encode_config(values))


class _ChangesValues(Mutant):
    """Gives every value of a config as ``changed`` makes it."""

    @staticmethod
    def changed(value: Any) -> Any:
        raise NotImplementedError

    def read_configs(self, run_ids: Sequence[str]) -> dict[str, str]:
        found = super().read_configs(run_ids)
        return {run_id: encode_config(deep(decode_config(text), self.changed)) for run_id, text in found.items()}


class IntegersBecomeFloats(_ChangesValues, breaks="CFG.1"):
    @staticmethod
    def changed(value: Any) -> Any:
        return float(value) if type(value) is int and value < 2**53 else value


class TrueBecomesOne(_ChangesValues, breaks="CFG.1"):
    @staticmethod
    def changed(value: Any) -> Any:
        return int(value) if isinstance(value, bool) else value


class ConfigIsReplaced(Mutant, breaks="CFG.2"):
    def merge_config(self, run_id: str, config: ConfigDocument) -> None:
        self._entry(run_id).config = ConfigDocument("{}")
        super().merge_config(run_id, config)


class ConfigMergesShallowly(Mutant, breaks="CFG.2"):
    def merge_config(self, run_id: str, config: ConfigDocument) -> None:
        entry = self._entry(run_id)
        entry.config = document({**entry.config.values, **config.values})


class DotsNest(Mutant, breaks="CFG.3"):
    def merge_config(self, run_id: str, config: ConfigDocument) -> None:
        nested: dict[str, Any] = {}
        for key, value in config.values.items():
            head, dot, rest = key.partition(".")
            nested[head] = {rest: value} if dot and rest else value
        super().merge_config(run_id, document(nested))


class ConfigIsWrittenWithoutALock(Mutant, breaks="CFG.6"):
    def merge_config(self, run_id: str, config: ConfigDocument) -> None:
        before = self._entry(run_id).config
        super().merge_config(run_id, config)
        time.sleep(0.002)
        self._entry(run_id).config = config.merged_over(before)


class LongTextsAreCut(Mutant, breaks="CFG.4"):
    def merge_config(self, run_id: str, config: ConfigDocument) -> None:
        cut = deep(config.values, lambda value: value[:65_535] if isinstance(value, str) else value)
        super().merge_config(run_id, document(cut))


class BadValuesBecomeText(Front, breaks="CFG.4"):
    def log_config(self, run_id: str, config: Mapping[str, Any]) -> None:
        self.store.log_config(run_id, deep(dict(config), lambda value: str(value) if callable(value) else value))


class ConfigsFitIntoATextColumn(Mutant, breaks="CFG.5"):
    def merge_config(self, run_id: str, config: ConfigDocument) -> None:
        if len(config.text) > 65_535:
            raise InvalidValueError(f"the config of run {run_id!r} is longer than 65,535 bytes; log less")
        super().merge_config(run_id, config)
