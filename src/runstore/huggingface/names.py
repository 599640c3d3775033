"""From the names that a ``Trainer`` logs to ``(name, dataset_type)``.

The rule
    1. ``eval_`` is taken off, and the rest is of the dataset type ``validation``; likewise ``test_`` for ``test``. The
       other words for a split, which a program may give as ``metric_key_prefix``, count as everywhere else: see
       :mod:`runstore.training.naming`.
    2. Anything else is of the training and stays whole. So ``loss``, logged every few steps, and ``train_loss``, the mean
       of a whole training, are two series.
    3. ``epoch`` comes with each call, whatever it is about: ``other``.
"""

from runstore.model import DatasetType
from runstore.training.naming import SeriesName, split_metric_name

_EVALUATION = "eval_"


def name_of(key: str) -> SeriesName:
    """The name and dataset type of what a ``Trainer`` has logged as ``key``, by the rule of this module."""
    if key == "epoch":
        return SeriesName(key, DatasetType.OTHER)
    if key.startswith(_EVALUATION) and len(key) > len(_EVALUATION):
        return SeriesName(key.removeprefix(_EVALUATION), DatasetType.VALIDATION)
    split = split_metric_name(key)
    is_of_another_split = split.dataset_type in {DatasetType.VALIDATION, DatasetType.TEST}
    return split if is_of_another_split else SeriesName(key, DatasetType.TRAIN)


def name_of_test(key: str) -> SeriesName:
    """Likewise of what ``predict`` gives, under whatever prefix: all but a name with a split of its own is of a test."""
    series = name_of(key)
    return SeriesName(key, DatasetType.TEST) if series.dataset_type is DatasetType.TRAIN else series
