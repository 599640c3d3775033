"""Media as Lightning's loggers take it: ``logger.log_image("samples", [image], caption=["a lung"])``.

Everything here has a step and is one of a series. ``logger.experiment`` keeps single files as well, under names of their
own: ``logger.experiment.log_figure("roc", figure)``.
"""

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from runstore import media
from runstore.errors import InvalidValueError
from runstore.training.hparams import config_of
from runstore.training.media import made
from runstore.values.checks import shown


class MediaOfLoggers:
    """The verbs that WandbLogger has, with its arguments, and two more.

    What is to be kept never stops a training: where it is no image, no table or no figure, this is warned of and counted.
    """

    @abstractmethod
    def _log_media(self, make: Callable[[int], Iterable[media.Media]], step: int | None) -> None:
        """Keeps what is made, at a step; on the process that writes alone."""

    def log_image(self, key: str, images: Any, step: int | None = None, **of_each: Any) -> None:
        """Keeps images; several of one call are series of their own: ``key/0``, ``key/1``, and so on.

        Args:
            key: the series' name.
            images: a list of arrays, tensors, images of Pillow or paths, as of :func:`runstore.media.image`; or one.
            step: the step; by default where the training is.
            of_each: lists of what to keep with each image, such as ``caption=["a", "b"]``; ``value_range`` is one pair
                for each image. For one image its own, without a list.

        Raises:
            InvalidValueError: the key or the step is not allowed.
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
            InvalidValueError: the key or the step is not allowed.
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
            InvalidValueError: the key or the step is not allowed.
        """
        if isinstance(text, str):
            self._log_media(lambda at: [made("text", key, at, lambda: media.text(key, text, step=at))], step)
        else:
            names = columns if text is None else text
            self._log_media(lambda at: [_table(key, names, data, dataframe, at)], step)

    def log_figure(self, key: str, figure: Any, step: int | None = None, **options: Any) -> None:
        """Keeps a figure of matplotlib or plotly; see :func:`runstore.media.figure`, whose options it takes.

        Raises:
            InvalidValueError: the key or the step is not allowed.
        """
        self._log_media(
            lambda at: [made("figure", key, at, lambda: media.figure(key, figure, step=at, **options))], step
        )

    def log_histogram(self, key: str, values: Any = None, step: int | None = None, **options: Any) -> None:
        """Keeps how values are spread; see :func:`runstore.media.histogram`, whose options it takes.

        Raises:
            InvalidValueError: the key or the step is not allowed.
        """
        self._log_media(
            lambda at: [made("histogram", key, at, lambda: media.histogram(key, values, step=at, **options))], step
        )


def _images(key: str, images: Any, of_each: Mapping[str, Any], step: int) -> list[media.Media]:
    if not isinstance(images, (list, tuple)):
        return [_image(key, images, of_each, step)]
    for name, items in of_each.items():
        if not isinstance(items, (list, tuple)) or len(items) != len(images):
            unfit = f"{name} is {shown(items)}; give a list with an item for each of {len(images)} images"
            return [made("image", key, step, partial(_refused, unfit))]
    return [
        _image(
            key if len(images) == 1 else f"{key}/{index}",
            image,
            {name: items[index] for name, items in of_each.items()},
            step,
        )
        for index, image in enumerate(images)
    ]


def _image(name: str, image: Any, about: Mapping[str, Any], step: int) -> media.Media:
    own = dict(about)
    value_range = own.pop("value_range", None)
    return made(
        "image",
        name,
        step,
        lambda: media.image(name, image, step=step, value_range=value_range, metadata=config_of(own)),
    )


def _table(key: str, columns: Sequence[str] | None, data: Any, dataframe: Any, step: int) -> media.Media:
    if (data is None) == (dataframe is None):
        unfit = f"the table {shown(key)} needs either columns and data, or a dataframe"
        return made("table", key, step, partial(_refused, unfit))
    rows = list(data) if isinstance(data, tuple) else data
    table = rows if dataframe is None else dataframe
    return made("table", key, step, lambda: media.table(key, table, columns=columns, step=step))


def _refused(what: str) -> media.Media:
    raise InvalidValueError(what)
