"""One rule from the metric names that Lightning projects use to ``(name, dataset_type)``.

The rule
    1. A leading split word and one separator are taken off and become the dataset type. The words are ``train``,
       ``training`` (``train``); ``val``, ``valid``, ``validation`` (``validation``); ``test``, ``testing`` (``test``),
       in any case; the separators are ``_``, ``/``, ``.`` and ``-``.
    2. All that follows is the name, to the last character. ``_step``, ``_epoch`` and ``/dataloader_idx_0`` stay in it,
       because they tell different series apart: with ``on_step=True, on_epoch=True`` Lightning logs
       ``train_loss_step`` and ``train_loss_epoch`` at the same step.
    3. Anything else stays whole, with the dataset type ``other``: ``epoch``, ``lr-Adam``, ``loss_val``.

=================================  ============================  ==============
logged as                          name                          dataset type
=================================  ============================  ==============
``train_loss``, ``train/loss``     ``loss``                      ``train``
``train_loss_step``                ``loss_step``                 ``train``
``train_loss_epoch``               ``loss_epoch``                ``train``
``val_auroc``, ``validation/auroc``  ``auroc``                   ``validation``
``val_loss/dataloader_idx_0``      ``loss/dataloader_idx_0``     ``validation``
``test_acc``                       ``acc``                       ``test``
``epoch``                          ``epoch``                     ``other``
=================================  ============================  ==============
"""

import logging
import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from runstore.model import DatasetType

_log = logging.getLogger("runstore.training.naming")

_SPLIT_WORDS = {
    "train": DatasetType.TRAIN,
    "training": DatasetType.TRAIN,
    "val": DatasetType.VALIDATION,
    "valid": DatasetType.VALIDATION,
    "validation": DatasetType.VALIDATION,
    "test": DatasetType.TEST,
    "testing": DatasetType.TEST,
}

_LED_BY_A_SPLIT = re.compile(rf"({'|'.join(_SPLIT_WORDS)})[_/.\-](.+)", re.IGNORECASE | re.DOTALL)


class SeriesName(NamedTuple):
    """What names a series within a run."""

    name: str
    dataset_type: DatasetType


def split_metric_name(key: str) -> SeriesName:
    """The name and dataset type of a metric that was logged as ``key``, by the rule of this module."""
    led = _LED_BY_A_SPLIT.fullmatch(key)
    if led is None:
        return SeriesName(key, DatasetType.OTHER)
    return SeriesName(led[2], _SPLIT_WORDS[led[1].lower()])


class MetricNames:
    """The rule applied to one run's keys, remembering each answer; two keys never become one series.

    A project that logs both ``val_loss`` and ``val/loss`` has two series, while the rule gives one name. The key that
    came first gets it; the later one stays whole under ``other``, which is told once. A run that goes on keeps that, in
    whatever order its keys come then, once it has heard with :meth:`learn` which series there are.

    Reading and adding are single dictionary operations, so threads may share an instance.
    """

    def __init__(
        self, *, split: bool = True, prefix: str = "", rule: Callable[[str], SeriesName] = split_metric_name
    ) -> None:
        """Starts with no key seen.

        Args:
            split: ``False`` switches the rule off: every key stays whole, under ``other``.
            prefix: put before each name, joined by ``-`` as Lightning's own loggers do.
            rule: another rule than this module's, for programs that name their metrics otherwise.
        """
        self._split = split
        self._rule = rule
        self._prefix = f"{prefix}-" if prefix else ""
        self._series_of: dict[str, SeriesName] = {}
        self._key_of: dict[SeriesName, str] = {}
        self._stored: frozenset[SeriesName] = frozenset()

    def learn(self, series: Iterable[SeriesName]) -> None:
        """Takes in which series the run has already: a key that stands there whole stays whole.

        Without that, one curve of a run that goes on would become two, where another key happens to come first this time.
        """
        self._stored = frozenset(series)
        for key, answer in list(self._series_of.items()):
            whole = self._whole(key)
            if answer != whole and whole in self._stored:
                self._key_of.pop(answer, None)
                self._series_of[key] = whole

    def __getitem__(self, key: str) -> SeriesName:
        """The series that ``key`` names, the same one each time."""
        series = self._series_of.get(key)
        return self._settle(key) if series is None else series

    def _settle(self, key: str) -> SeriesName:
        whole = series = self._whole(key)
        if self._split and whole not in self._stored:
            name, dataset_type = self._rule(key)
            series = SeriesName(self._prefix + name, dataset_type)
        first = self._key_of.setdefault(series, key)
        if first != key:
            _log.warning(
                "metric %r is kept whole, under other: %r has the name %r of %s already; log them under names that "
                "differ by more than that",
                key, first, series.name, series.dataset_type,
            )  # fmt: skip
            series = whole
        return self._series_of.setdefault(key, series)

    def _whole(self, key: str) -> SeriesName:
        return SeriesName(self._prefix + key, DatasetType.OTHER)
