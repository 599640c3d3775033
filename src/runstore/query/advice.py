"""What somebody meant who wrote a filter or an order in the words of another tool: the hints of a QueryError."""

import difflib
import re
from collections.abc import Iterable
from typing import Final

from runstore.model import DatasetType, RunStatus

_INSTEAD_OF_CHARACTERS: Final = (
    ("~", "write like with a pattern: name like 'unet%'"),
    ("*", "write like with a pattern: name like 'unet%'"),
    ("%", "put the pattern in single quotes: name like 'unet%'"),
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
    ("{", "a filter is a text: status = 'completed' and config.lr < 0.01"),
    (":", "put an order's direction behind a blank: start_time desc"),
    ("/", "a metric is written with its dataset type and its name: metric.validation.loss"),
    (";", "a filter is one condition; join several by and"),
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
    "metric": ("metrics", "summary", "summary_metrics", "scalar", "scalars"),
    "tag": ("tags", "label", "labels"),
}
_OF_THE_RUN: Final = ("attribute", "attributes", "attr", "run", "runs", "info")
"""What stands before a run's own field in other tools; here nothing does."""
_DATASET_TYPES: Final = {
    "train": ("training", "tr", "fit"),
    "validation": ("val", "valid", "validate", "dev", "eval"),
    "test": ("testing", "predict"),
}
_ATTRIBUTES: Final = {
    "id": ("run", "run_id", "uuid", "run_uuid"),
    "name": ("run_name", "title", "display_name", "displayname"),
    "note": ("notes", "description", "comment"),
    "status": ("state",),
    "start_time": ("start", "started", "started_at", "created", "created_at", "createdat", "date", "time", "begin"),
    "end_time": ("end", "ended", "ended_at", "finished", "finished_at"),
    "duration": ("took", "runtime", "run_time", "elapsed", "seconds", "_runtime"),
    "training_mode": ("mode",),
    "parent_run_id": ("parent_id",),
    "client_id": ("client",),
    "source_path": ("source", "data", "dataset"),
    "experiment": ("experiment_name", "project", "group"),
    "archived": ("is_archived", "archived_at", "lifecycle_stage", "hidden"),
    "artifact": ("artifacts", "file", "files"),
}
_STATUSES: Final[dict[str, tuple[str, ...]]] = {
    RunStatus.COMPLETED: ("finished", "complete", "done", "success", "succeeded", "ok"),
    RunStatus.IN_PROGRESS: ("running", "active", "started", "pending", "scheduled", "in progress"),
    RunStatus.FAILED: ("fail", "failure", "error", "crashed"),
    RunStatus.INTERRUPTED: ("killed", "stopped", "cancelled", "canceled", "aborted", "preempted"),
    RunStatus.LOST: ("dead", "zombie", "stale"),
}
_OPERATORS: Final = (
    ("contains", "write like '%text%'"),
    ("startswith", "write like 'text%'"),
    ("endswith", "write like '%text'"),
    ("matches", "write like with a pattern: % is any text, _ one character"),
    ("regexp", "write like with a pattern: % is any text, _ one character"),
    ("regex", "write like with a pattern: % is any text, _ one character"),
    ("rlike", "write like with a pattern: % is any text, _ one character"),
    ("ilike", "write like; upper and lower case differ"),
    ("equals", "write ="),
    ("eq", "write ="),
    ("ne", "write !="),
    ("gt", "write >"),
    ("ge", "write >="),
    ("gte", "write >="),
    ("lt", "write <"),
    ("le", "write <="),
    ("lte", "write <="),
    ("exists", "write is not null"),
    ("between", "write two tests: a >= 1 and a <= 2"),
)
_KEYWORDS: Final = {"and", "or", "not", "in", "like", "is", "null", "asc", "desc", "true", "false"}
_WORD: Final = re.compile(r"[^\W\d]\w*")
_IN_BRACKETS: Final = re.compile(r"""\[\s*(['"]?)([^\W\d][\w/]*)\1\s*\]""")
_KIND_AND_NAME: Final = re.compile(r"([A-Za-z]+)[/_.](.+)")


def about_characters(before: str, rest: str) -> str:
    """A hint about text that no token begins with; empty when there is none.

    Args:
        before: what was read.
        rest: what begins with the text that cannot be read.
    """
    signed = re.match(r"([-+])\s*([^\W\d][\w.]*)", rest)
    if signed:
        way, field = ("desc" if signed[1] == "-" else "asc"), _meant(signed[2], _ATTRIBUTES) or signed[2]
        return f"; for {way}ending order write '{field} {way}'"
    word = re.search(r"[^\W\d][\w.]*$", before)
    key = _IN_BRACKETS.match(rest)
    if key and word and word[0].lower() not in _KEYWORDS:
        head = word[0].rpartition(".")[2] if word[0].partition(".")[0].lower() in _OF_THE_RUN else word[0]
        return f"; did you mean {table_meant(head) or head}.{key[2]}?"
    if re.match(r"\d+(\.\d+)?[a-z]", rest):
        return "; numbers have no unit: a duration is in seconds, as in duration > 3600"
    if rest.startswith("/") and word:
        slashed = re.match(r"[\w/.]+", rest)
        meant = _series_like(word[0].rpartition(".")[2] + slashed[0]) if slashed else ""
        if meant:
            return f"; did you mean metric.{meant}?"
    return next(
        (f"; {hint}" for characters, hint in _INSTEAD_OF_CHARACTERS if rest.removeprefix(".").startswith(characters)),
        "",
    )


def about_field(text: str, attributes: Iterable[str], statistics: Iterable[str]) -> str:  # noqa: PLR0911 - a return a habit
    """A hint about a text that is no field; empty when there is none."""
    head, _, rest = text.partition(".")
    head = head.lower()
    if head in _OF_THE_RUN and rest:
        return _about_word(rest.lower(), rest, list(attributes)) if "." not in rest else f"; did you mean {rest}?"
    for table, others in _TABLES.items():
        if rest and (head in others or (head != table and difflib.get_close_matches(head, [table], cutoff=0.8))):
            return f"; did you mean {_completed(table, rest)}?"
    if head == "metric":
        return _about_metric(rest, list(statistics))
    if not rest and table_meant(head) in {"tag", "config"}:
        examples = {"tag": "tag.owner", "config": "config.lr or config.model.depth"}
        return f"; write {table_meant(head)}.KEY, as in {examples[table_meant(head)]}"
    if head == "tag":
        return f"; did you mean {_completed('tag', rest)}?"
    if rest and head in {"artifact", "artifacts"}:
        return "; write artifact = 'name'"
    if rest and (head in set(DatasetType) or _meant(head, _DATASET_TYPES)):
        return f"; did you mean {_completed('metric', text)}?"
    if rest:
        return (
            f"; did you mean config.{text}, metric.validation.{text} (or another of {_kinds()}) or tag.{_quoted(text)}?"
        )
    return _about_word(head, text, list(attributes))


def _completed(table: str, rest: str) -> str:
    """The field of a table that a text behind the table's name means."""
    if table == "tag":
        return f"tag.{_quoted(rest)}"
    kind, dot, name = rest.partition(".")
    if table != "metric" or kind in set(DatasetType):
        return f"{table}.{rest}"
    meant = _meant(kind, _DATASET_TYPES)
    if dot and meant:
        return f"metric.{meant}.{name}"
    return f"metric.{_series_like(rest) or f'validation.{rest} (or another of {_kinds()})'}"


def table_meant(word: str) -> str:
    """``config``, ``metric`` or ``tag`` for what it is called elsewhere; empty for any other word."""
    word = word.lower()
    return word if word in _TABLES else _meant(word, _TABLES)


def dataset_type_meant(text: str) -> tuple[str, str]:
    """The dataset type and the name that ``val_loss``, ``val/loss`` or ``val.loss`` mean; two empty texts if none."""
    found = _KIND_AND_NAME.fullmatch(text)
    meant = word_meant(found[1]) if found else ""
    return (meant, found[2]) if found and meant else ("", "")


def word_meant(word: str) -> str:
    """The dataset type that ``val`` or ``Validation`` mean; empty if none."""
    return word.lower() if word.lower() in set(DatasetType) else _meant(word, _DATASET_TYPES)


def attribute_meant(word: str, attributes: Iterable[str]) -> str:
    """A run's own field by what it is called elsewhere; empty for any other word."""
    word = word.lower().rpartition(".")[2] if word.lower().partition(".")[0] in _OF_THE_RUN else word.lower()
    return word if word in set(attributes) else _meant(word, _ATTRIBUTES)


def _series_like(text: str) -> str:
    """``validation.loss`` for ``val_loss`` and ``val/loss``; empty when no dataset type stands before the name."""
    kind, name = dataset_type_meant(text)
    return f"{kind}.{name}" if kind else ""


def _quoted(name: str) -> str:
    return name if '"' in name or "." not in name else f'"{name}"'


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
    meant = word if word in attributes else _meant(word, _ATTRIBUTES)
    close = [meant] if meant else difflib.get_close_matches(word, attributes, n=1, cutoff=0.75)
    if close:
        return f"; did you mean {close[0]}?"
    if word in _KEYWORDS:
        return ""
    series = _series_like(text)
    if series:
        return f"; did you mean metric.{series}?"
    return f"; did you mean metric.validation.{text} (or another of {_kinds()}), config.{text} or tag.{text}?"


def about_call(name: str, statistics: Iterable[str]) -> str:
    """A hint about a word with a parenthesis behind it, as functions are written."""
    if name.lower() in set(statistics):
        return f"; a metric's statistic stands behind its name: metric.validation.loss.{name.lower()}"
    return "; there are no functions"


def about_literal(found: str, *, kind: str, is_time: bool, is_duration: bool = False) -> str:
    """A hint about what stands where a value belongs.

    Args:
        found: the token.
        kind: of token: ``word``, ``number``, ``op``, …
        is_time: whether the field is a time.
        is_duration: whether it is a time span.
    """
    if kind == "op":  # the second one of == or <>
        return "; write = once for equal" if found == "=" else "; write != for unequal"
    if kind == "word" and found.lower() in {"null", "none", "nan"}:
        return "; write is null or is not null"
    if is_duration:
        return "; a duration is in seconds, as in duration > 3600"
    if is_time:
        return "; a time is a text: '2026-11-21' or '2026-11-21T08:30:00Z'"
    if kind == "number" or (kind == "word" and _WORD.fullmatch(found)):
        return f"; put texts in single quotes: '{found}'"
    return ""


def about_status(found: str) -> str:
    """A hint about a text that is no status; empty when there is none."""
    word = found.lower().strip()
    meant = word if word in set(RunStatus) else _meant(word, _STATUSES)
    close = [meant] if meant else difflib.get_close_matches(word, list(RunStatus), n=1)
    return f"; did you mean '{close[0]}'?" if close else ""


def about_operator(found: str, field: str) -> str:
    """A hint about what stands where an operator belongs; empty when there is none.

    Args:
        found: the token; empty at the end.
        field: the text of the field before it.
    """
    if not found:
        return (
            "; write archived = true"
            if field == "archived"
            else f"; compare it, or ask whether it is there: {field} is not null"
        )
    hint = next((f"; {hint}" for word, hint in _OPERATORS if found.lower() == word), "")
    table, dot, key = field.partition(".")
    if not hint and dot and table != "metric" and '"' not in key and _WORD.fullmatch(found):
        return f'; a key that holds blanks stands in double quotes: write {table}."{key} {found}"'
    return hint


def about_field_place(found: str, *, kind: str) -> str:
    """A hint about what stands where a field belongs; empty when there is none."""
    if kind in {"text", "number"}:
        return f"; a test begins with its field: name = 'unet', not {found} = name"
    return "; something is missing at the end" if kind == "end" else ""


def about_more(found: str) -> str:
    """A hint about what stands behind a whole test; empty when there is none."""
    if found == ",":
        return "; write a decimal number with a point, and several values in parentheses: in (1, 5)"
    if found == ")":
        return "; no parenthesis is open here"
    if found in {"=", "!=", "<", "<=", ">", ">="}:
        return "; write two tests: a >= 1 and a <= 2"
    return ""


def about_end(found: str) -> str:
    """A hint about what stands behind an order; empty when there is none."""
    word = found.lower()
    if word in {"descending", "down"}:
        return "; write desc"
    if word in {"ascending", "up"}:
        return "; write asc"
    if word == "nulls":
        return "; what is missing comes last in both directions"
    return "; give several orders one by one, not behind a comma" if word == "," else ""


def _meant(word: str, names: dict[str, tuple[str, ...]]) -> str:
    return next((str(name) for name, others in names.items() if word.lower() in others), "")


def _kinds() -> str:
    return ", ".join(DatasetType)
