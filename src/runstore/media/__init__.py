"""Figures, images, tables, texts and histograms of a run: made into files, kept as artifacts, read back as a series.

>>> from runstore import media, open_store
>>> with open_store("memory://", durable=False) as store:
...     run_id = store.ensure_run(store.get_or_create_experiment("pneumonia"))
...     for step, words in enumerate(["noise", "a lung"]):
...         artifact = media.text("caption", words, step=step).keep(store, run_id)
...     for item in media.read_series(store, run_id, "caption"):
...         print(item.step, item.read().decode())
0 noise
1 a lung
"""

from runstore.media.figures import figure
from runstore.media.files import Media
from runstore.media.histograms import histogram
from runstore.media.images import image
from runstore.media.reading import MediaItem, list_series, read_series
from runstore.media.tables import table
from runstore.media.texts import text

__all__ = ["Media", "MediaItem", "figure", "histogram", "image", "list_series", "read_series", "table", "text"]
