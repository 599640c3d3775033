"""What a study is made of: tables of rows, each a configuration, read from a YAML file and checked before anything is trained."""

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Mapping
from os import PathLike
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from pneumo_train.config.settings import TrainConfig, as_dict, load_config
from pneumo_train.errors import ConfigError

_HERE = Path(__file__).parent / "studies"

_OF_THE_MACHINE: Final = frozenset(
    {
        "training.threads",
        "training.num_workers",
        "training.accelerator",
        "data.cache_mib",
        "data.cache_dir",
        "data.cache_disk_mib",
    }
)
"""Keys that say where a row is trained, and nothing of what it gives."""

_AFTERWARDS: Final = ("evaluation.", "model.tta_views")
"""What may differ in a row that looks again with the model of another one."""

Text = Annotated[str, Meta(min_length=1, max_length=200)]
Change = dict[str, Any]


class Row(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line of a table.

    Attributes:
        name: what it is called.
        set: the keys of the configuration, dotted, that are other than in the table.
        of: the row whose model it looks with, instead of training one: for what is decided after a training.
    """

    name: Text
    set: Change = {}
    of: Text | None = None


class Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Rows that are compared with each other.

    Attributes:
        name: what it is called.
        about: what a reader must know of all its rows.
        recipe: what they begin with; the defaults without one.
        set: keys, dotted, that are the same in all rows.
        seeds: each row is run once with each; each is there once.
        rows: in the order in which they are run and shown.
    """

    name: Text
    rows: Annotated[tuple[Row, ...], Meta(min_length=1)]
    seeds: Annotated[tuple[Annotated[int, Meta(ge=0, le=2**32 - 1)], ...], Meta(min_length=1)]
    about: str = ""
    recipe: str | None = None
    set: Change = {}


class Study(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All of it.

    Attributes:
        name: of the study; the name of its run, too.
        tables: in the order in which they are run and shown.
        about: what a reader must know of all tables.
    """

    name: Text
    tables: Annotated[tuple[Table, ...], Meta(min_length=1)]
    about: str = ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A row with one seed.

    Attributes:
        config: all of its configuration.
        digest: names the task in a store: of what its configuration has that is no default, and says what it gives.
        of: the digest of the task whose model it looks with, or ``None`` if it trains.
    """

    table: str
    row: str
    seed: int
    config: TrainConfig
    digest: str
    of: str | None

    @property
    def name(self) -> str:
        """What its run is called."""
        return f"{self.table}: {self.row}, seed {self.seed}"


def study_names() -> list[str]:
    """The studies that come with the trainer."""
    return sorted(path.stem for path in _HERE.glob("*.yaml"))


def load_study(path: str | PathLike[str]) -> Study:
    """The study of a YAML file, or one that comes with the trainer, by its name.

    Raises:
        ConfigError: the file cannot be read, or holds no study.
    """
    import yaml  # noqa: PLC0415 - of `pneumo-train`; importing this package needs none of it

    named = Path(path)
    file = _HERE / f"{path}.yaml" if not named.exists() and str(path) in study_names() else named
    try:
        study = msgspec.convert(yaml.safe_load(file.read_text(encoding="utf-8")), Study)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"study {path}: cannot be read ({error}); name a YAML file, or one of: {', '.join(study_names())}"
        ) from error
    except yaml.YAMLError as error:
        raise ConfigError(f"study {path}: no valid YAML: {' '.join(str(error).split())}") from error
    except msgspec.ValidationError as error:
        raise ConfigError(f"study {path}: {error}") from error
    _require_names(study, str(path))
    return study


def tasks_of(study: Study, overrides: Mapping[str, Any] | None = None) -> tuple[Task, ...]:
    """Every row with every seed, checked: all rows of all tables with their first seed, then with their second one, and so on.

    A study that is stopped has every row once before it has any twice.

    Args:
        study: what is to be run.
        overrides: keys, dotted, that are the same in all tables: where the data lie and what the machine has.

    Raises:
        ConfigError: a key or a value is wrong, or a table and ``overrides`` give the same key.
    """
    of_tables = [(table, list(_tasks_of(table, overrides or {}))) for table in study.tables]
    return tuple(
        task
        for turn in range(max(len(table.seeds) for table in study.tables))
        for table, tasks in of_tables
        for task in tasks
        if table.seeds[turn : turn + 1] == (task.seed,)
    )


def _tasks_of(table: Table, overrides: Mapping[str, Any]) -> Iterator[Task]:
    decided = {"seed", *table.set, *(key for row in table.rows for key in row.set)}
    if twice := sorted(decided.intersection(overrides)):
        raise ConfigError(f"option --{twice[0]}: the study's table {table.name!r} says it already; leave it out")
    base = load_config(overrides={**table.set, **overrides}, base=load_config(table.recipe))
    digests: dict[tuple[str, int], str] = {}
    for row in table.rows:
        whole = base if row.of is None else load_config(overrides=_row(table, row.of).set, base=base)
        config = load_config(overrides=row.set, base=whole)
        for seed in table.seeds:
            seeded = dataclasses.replace(config, seed=seed)
            of = None if row.of is None else digests[row.of, seed]
            digests[row.name, seed] = digest = digest_of(seeded, of)
            yield Task(table=table.name, row=row.name, seed=seed, config=seeded, digest=digest, of=of)


def digest_of(config: TrainConfig, also: Any) -> str:
    """Names what is trained, by all of a configuration that says what comes out, and what else does, ready for JSON.

    An option that comes later leaves it as it is: defaults are no part of it.
    """
    usual, given = dict(_flat(as_dict(TrainConfig()))), dict(_flat(as_dict(config)))
    told = {key: value for key, value in given.items() if value != usual[key] and key not in _OF_THE_MACHINE}
    content = json.dumps([told | {"seed": config.seed}, also], sort_keys=True).encode()
    return hashlib.sha256(content).hexdigest()[:16]


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _row(table: Table, name: str) -> Row:
    return next(row for row in table.rows if row.name == name)


def _require_names(study: Study, path: str) -> None:
    """Refuses what no type says: names that are there twice, and rows that look with a model that is not there.

    Raises:
        ConfigError: names table and row.
    """
    tables = [table.name for table in study.tables]
    if len(set(tables)) < len(tables):
        raise ConfigError(f"study {path}: two tables have one name; give each its own")
    for table in study.tables:
        if len(set(table.seeds)) < len(table.seeds):
            raise ConfigError(f"study {path}: table {table.name!r}: a seed is there twice; give each once")
        trained: set[str] = set()
        seen: set[str] = set()
        for row in table.rows:
            called = f"study {path}: table {table.name!r}, row {row.name!r}"
            if row.name in seen:
                raise ConfigError(f"{called}: two rows have this name; give each its own")
            seen.add(row.name)
            if row.of is None:
                trained.add(row.name)
                continue
            if row.of not in trained:
                raise ConfigError(f"{called}: of = {row.of!r}: names no row before it that trains")
            if wrong := sorted(key for key in row.set if not key.startswith(_AFTERWARDS)):
                raise ConfigError(
                    f"{called}: set {wrong[0]}: is decided in training; a row with `of` may set evaluation.… and model.tta_views"
                )
