"""What people's tools say of runs, in the same words everywhere: times, spans, sizes and values, and which value is best."""

from runstore.texts.best import best_of, best_point, leading_series, words_of
from runstore.texts.figures import (
    duration_text,
    number_text,
    size_text,
    span_text,
    time_text,
    time_zone,
)

__all__ = [
    "best_of",
    "best_point",
    "duration_text",
    "leading_series",
    "number_text",
    "size_text",
    "span_text",
    "time_text",
    "time_zone",
    "words_of",
]
