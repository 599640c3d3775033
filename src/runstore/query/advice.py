"""What somebody meant who wrote a filter or an order in the words of another tool: the hints of a QueryError."""

import difflib
import re
from collections.abc import Iterable
from typing import Final

from runstore.model import DatasetType

_INSTEAD_OF_CHARACTERS: Final = (
    ("~", "write like with a pattern: name like 'unet%'"),
    ("&&", "write and"),
    ("&", "write and"),
    ("||", "write or"),
    ("|", "write or"),
    ("!", "write not, or != for unequal"),
    ('"', 'put texts in single quotes; double quotes are for parts of a name: metric.train."my.loss"'),
    ("\N{LEFT DOUBLE QUOTATION MARK}", "put texts in straight single quotes"),
    ("\N{LEFT SINGLE QUOTATION MARK}", "put texts in straight single quotes"),
    ("`", 'names need no quotes; a part with odd characters stands in double ones: config."a key"'),
    ("'", "a text ends with a single quote; a quote inside is doubled"),
    ("[", "write the values of in between parentheses: in (18, 34)"),
    (":", "put an order's direction behind a blank: start_time desc"),
)
_TABLES: Final = {
    "config": (
        "param",
        "params",
        "hparam",
        "hparams",
        "hyperparameters",
        "parameters",
        "cfg",
        "configuration",
        "configs",
    ),
    "metric": ("metrics", "summary", "scalar", "scalars"),
    "tag": ("tags", "label", "labels"),
}
_DATASET_TYPES: Final = {
    "train": ("training", "tr", "fit"),
    "validation": ("val", "valid", "validate", "dev", "eval"),
    "test": ("testing", "predict"),
}
_ATTRIBUTES: Final = {
    "id": ("run", "run_id", "uuid"),
    "name": ("run_name", "title"),
    "status": ("state",),
    "start_time": ("start", "started", "started_at", "created", "created_at", "date", "time", "begin"),
    "end_time": ("end", "ended", "ended_at", "finished", "finished_at"),
    "training_mode": ("mode",),
    "parent_run_id": ("parent_id",),
    "client_id": ("client",),
    "source_path": ("source",),
}
_OPERATORS: Final = (
    ("contains", "write like '%text%'"),
    ("startswith", "write like 'text%'"),
    ("endswith", "write like '%text'"),
    ("matches", "write like with a pattern: % is any text, _ one character"),
    ("ilike", "write like; upper and lower case differ"),
    ("equals", "write ="),
    ("eq", "write ="),
    ("exists", "write is not null"),
    ("between", "write two tests: a >= 1 and a <= 2"),
)
_WORD: Final = re.compile(r"[^\W\d]\w*")


def about_characters(rest: str) -> str:
    """A hint about text that no token begins with; empty when there is none."""
    descending = re.match(r"-\s*([^\W\d][\w.]*)", rest)
    if descending:
        return f"; for descending order write '{descending[1]} desc'"
    return next((f"; {hint}" for characters, hint in _INSTEAD_OF_CHARACTERS if rest.startswith(characters)), "")


def about_field(text: str, attributes: Iterable[str], statistics: Iterable[str]) -> str:
    """A hint about a text that is no field; empty when there is none."""
    head, _, rest = text.partition(".")
    head = head.lower()
    for table, others in _TABLES.items():
        if rest and (head in others or (head != table and difflib.get_close_matches(head, [table], cutoff=0.8))):
            return f"; did you mean {_completed(table, rest)}?"
    if head == "metric":
        return _about_metric(rest, list(statistics))
    if rest:
        return ""
    return _about_word(head, text, list(attributes))


def _completed(table: str, rest: str) -> str:
    if table != "metric" or rest.partition(".")[0] in set(DatasetType):
        return f"{table}.{rest}"
    kind, dot, name = rest.partition(".")
    meant = _meant(kind, _DATASET_TYPES)
    return f"metric.{meant}.{name}" if dot and meant else f"metric.validation.{rest} (or another of {_kinds()})"


def _about_metric(rest: str, statistics: list[str]) -> str:
    kind, dot, name = rest.partition(".")
    if kind in set(DatasetType):
        if not dot:
            return f"; the metric's name is missing, as in metric.{kind}.loss"
        *parts, last = name.split(".")
        close = difflib.get_close_matches(last, statistics, n=1)
        first = ".".join(parts) if '"' not in name else name
        meant = f"metric.{kind}.{first}.{close[0]}, or " if close and parts else ""
        return (
            f'; did you mean {meant}the metric of that whole name: metric.{kind}."{name}"? '
            f"Statistics are {', '.join(statistics)}"
        )
    return (
        f"; did you mean {_completed('metric', rest)}?" if rest else f"; write metric.KIND.NAME, KIND one of {_kinds()}"
    )


def _about_word(word: str, text: str, attributes: list[str]) -> str:
    if word in {"experiment", "experiment_name"}:
        return "; runs of one experiment are chosen by --experiment NAME, or by experiment_id = 'ID'"
    meant = _meant(word, _ATTRIBUTES)
    close = [meant] if meant else difflib.get_close_matches(word, attributes, n=1, cutoff=0.75)
    if close:
        return f"; did you mean {close[0]}?"
    if word in {"and", "or", "not", "in", "like", "is", "null", "asc", "desc", "true", "false"}:
        return ""
    return f"; did you mean metric.validation.{text} (or another of {_kinds()}), config.{text} or tag.{text}?"


def about_literal(found: str, *, kind: str, is_time: bool) -> str:
    """A hint about what stands where a value belongs.

    Args:
        found: the token.
        kind: of token: ``word``, ``number``, ``op``, …
        is_time: whether the field is a time.
    """
    if kind == "op":  # the second one of == or <>
        return "; write = once for equal" if found == "=" else "; write != for unequal"
    if kind == "word" and found.lower() in {"null", "none"}:
        return "; write is null or is not null"
    if kind == "word" and _WORD.fullmatch(found):
        return f"; put texts in single quotes: '{found}'"
    if kind == "number" and is_time:
        return "; a time is a text: '2026-11-21' or '2026-11-21T08:30:00Z'"
    return ""


def about_operator(found: str) -> str:
    """A hint about a word that stands where an operator belongs; empty when there is none."""
    return next((f"; {hint}" for word, hint in _OPERATORS if found.lower() == word), "")


def about_end(found: str) -> str:
    """A hint about a word behind a whole test or order; empty when there is none."""
    word = found.lower()
    if word in {"descending", "down"}:
        return "; write desc"
    if word in {"ascending", "up"}:
        return "; write asc"
    return ""


def _meant(word: str, names: dict[str, tuple[str, ...]]) -> str:
    return next((name for name, others in names.items() if word.lower() in others), "")


def _kinds() -> str:
    return ", ".join(DatasetType)
