"""Media as Lightning's loggers take it: ``logger.log_image("samples", [image], caption=["a lung"])``.

Everything here has a step and is one of a series. ``logger.experiment`` keeps single files as well, under names of their
own: ``logger.experiment.log_figure("roc", figure)``.
"""

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from runstore import media
from runstore.errors import InvalidValueError
from runstore.training.hparams import config_of
from runstore.values.checks import shown


class MediaOfLoggers:
    """The verbs that WandbLogger has, with its arguments, and two more."""

    @abstractmethod
    def _log_media(self, make: Callable[[int], Iterable[media.Media]], step: int | None) -> None:
        """Keeps what is made, at a step; on the process that writes alone."""

    def log_image(self, key: str, images: Sequence[Any], step: int | None = None, **of_each: Sequence[Any]) -> None:
        """Keeps images; several of one call are series of their own: ``key/0``, ``key/1``, and so on.

        Args:
            key: the series' name.
            images: arrays, tensors, images of Pillow or paths, as of :func:`runstore.media.image`.
            step: the step; by default where the training is.
            of_each: lists of what to keep with each image, such as ``caption=["a", "b"]``; ``value_range`` is one pair
                for each image.

        Raises:
            InvalidValueError: this is no list of images, or another list has not as many items.
        """
        self._log_media(lambda at: _images(key, images, of_each, at), step)

    def log_table(
        self,
        key: str,
        columns: Sequence[str] | None = None,
        data: Any = None,
        dataframe: Any = None,
        step: int | None = None,
    ) -> None:
        """Keeps a table, of ``columns`` and ``data`` or of a ``dataframe``; see :func:`runstore.media.table`.

        Args:
            key: the series' name.
            columns: the names of the columns.
            data: rows.
            dataframe: of pandas or polars, or whatever else is a table.
            step: the step; by default where the training is.

        Raises:
            InvalidValueError: this is no table.
        """
        self._log_media(lambda at: [_table(key, columns, data, dataframe, at)], step)

    def log_text(  # noqa: PLR0913 - as Lightning's other loggers, which keep texts as tables
        self,
        key: str,
        text: str | Sequence[str] | None = None,
        data: Any = None,
        dataframe: Any = None,
        step: int | None = None,
        *,
        columns: Sequence[str] | None = None,
    ) -> None:
        """Keeps a text; without one, a table of texts as :meth:`log_table` does.

        Args:
            key: the series' name.
            text: the text.
            data: rows of texts, instead.
            dataframe: a table of texts, instead.
            step: the step; by default where the training is.
            columns: the names of the columns of ``data``.

        Raises:
            InvalidValueError: this is no text, and no table.
        """
        if isinstance(text, str):
            self._log_media(lambda at: [media.text(key, text, step=at)], step)
        else:
            names = columns if text is None else text
            self._log_media(lambda at: [_table(key, names, data, dataframe, at)], step)

    def log_figure(self, key: str, figure: Any, step: int | None = None, **options: Any) -> None:
        """Keeps a figure of matplotlib or plotly; see :func:`runstore.media.figure`, whose options it takes.

        Raises:
            InvalidValueError: this is no figure.
        """
        self._log_media(lambda at: [media.figure(key, figure, step=at, **options)], step)

    def log_histogram(self, key: str, values: Any = None, step: int | None = None, **options: Any) -> None:
        """Keeps how values are spread; see :func:`runstore.media.histogram`, whose options it takes.

        Raises:
            InvalidValueError: these are no numbers.
        """
        self._log_media(lambda at: [media.histogram(key, values, step=at, **options)], step)


def _images(key: str, images: Sequence[Any], of_each: Mapping[str, Sequence[Any]], step: int) -> list[media.Media]:
    if not isinstance(images, (list, tuple)):
        raise InvalidValueError(f"images is {shown(images)} of type {type(images).__name__}; give a list of images")
    for name, items in of_each.items():
        if not isinstance(items, (list, tuple)) or len(items) != len(images):
            raise InvalidValueError(
                f"{name} is {shown(items)}; give a list with an item for each of {len(images)} images"
            )
    made = []
    for index, image in enumerate(images):
        own = {name: items[index] for name, items in of_each.items()}
        value_range = own.pop("value_range", None)
        name = key if len(images) == 1 else f"{key}/{index}"
        made.append(media.image(name, image, step=step, value_range=value_range, metadata=config_of(own)))
    return made


def _table(key: str, columns: Sequence[str] | None, data: Any, dataframe: Any, step: int) -> media.Media:
    if (data is None) == (dataframe is None):
        raise InvalidValueError(f"the table {shown(key)} needs either columns and data, or a dataframe")
    rows = list(data) if isinstance(data, tuple) else data
    return media.table(key, rows if dataframe is None else dataframe, columns=columns, step=step)
