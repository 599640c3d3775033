"""Figures, images, tables, texts and histograms, as verbs of what logs a run."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from runstore import media
from runstore.model import Artifact


class LogsMedia(ABC):
    """What keeps the five kinds of media, once it knows how to keep one.

    A name or a step that is not allowed raises at once. What is to be kept stops nothing, whatever it is: where it is no
    figure, no image or no table, where it cannot be drawn, and where the store is away, this is warned of and counted, and
    ``None`` is given instead of the artifact's record.

    Without a step a name is one file, which the next one of that name replaces; with steps it is a series, which
    :func:`runstore.media.read_series` reads back.
    """

    @abstractmethod
    def log_media(self, made: media.Media) -> Artifact | None:
        """Keeps what one of the functions of :mod:`runstore.media` has made; its record, or ``None`` if it is not kept."""

    def log_figure(self, name: str, figure: Any, *, step: int | None = None, **options: Any) -> Artifact | None:
        """Keeps a figure of matplotlib or plotly; see :func:`runstore.media.figure`, whose options it takes."""
        return self.log_media(made("figure", name, step, lambda: media.figure(name, figure, step=step, **options)))

    def log_image(self, name: str, image: Any, *, step: int | None = None, **options: Any) -> Artifact | None:
        """Keeps an array, an image of Pillow or an image file; see :func:`runstore.media.image`."""
        return self.log_media(made("image", name, step, lambda: media.image(name, image, step=step, **options)))

    def log_table(self, name: str, table: Any, *, step: int | None = None, **options: Any) -> Artifact | None:
        """Keeps rows, columns or a data frame; see :func:`runstore.media.table`."""
        return self.log_media(made("table", name, step, lambda: media.table(name, table, step=step, **options)))

    def log_text(self, name: str, text: str, *, step: int | None = None, **options: Any) -> Artifact | None:
        """Keeps a text; see :func:`runstore.media.text`."""
        return self.log_media(made("text", name, step, lambda: media.text(name, text, step=step, **options)))

    def log_histogram(
        self, name: str, values: Any = None, *, step: int | None = None, **options: Any
    ) -> Artifact | None:
        """Keeps how values are spread; see :func:`runstore.media.histogram`."""
        return self.log_media(
            made("histogram", name, step, lambda: media.histogram(name, values, step=step, **options))
        )


def made(kind: str, name: str, step: int | None, make: Callable[[], media.Media]) -> media.Media:
    """What ``make`` gives; where it refuses what it is given, what says so once it is to be kept.

    Raises:
        InvalidValueError: the name or the step is not allowed.
        TypeError: there is no such option.
    """
    try:
        return make()
    except TypeError:
        raise
    except Exception as error:  # noqa: BLE001 - a data frame that is computed now may raise anything
        unfit = error

    def refuse(_file: Path) -> Mapping[str, Any]:
        raise unfit

    return replace(media.text(name, "", step=step), kind=kind, write=refuse)
