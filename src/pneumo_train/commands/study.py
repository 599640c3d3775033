"""``pneumo-train study``: many trainings that differ in one thing each, and the table that they make."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pneumo_train.commands.command import Command
from pneumo_train.commands.files import require_folder, write_text
from pneumo_train.config.data import DataConfig
from pneumo_train.config.settings import from_dict
from pneumo_train.needs import EXTRA, require, require_working_directory
from pneumo_train.options import Parser, meanings_of
from pneumo_train.terminal import quiet_lightning
from pneumo_train.words import on_one_line

if TYPE_CHECKING:
    from pneumo_train.studying.plan import Study, Task

_OF_THE_MACHINE = {
    "threads": "CPU threads of torch; its own choice when not given",
    "num_workers": "processes that prepare images",
    "accelerator": "cpu, gpu or auto",
}

_EXITS = """\
exit status:
  0    every row is complete
  1    some rows diverged; all others are complete
  2    a mistake to mend before: an option, the study, the source, the data, the store's URL
  130  Ctrl-C; what is complete is kept, and the same command goes on
  143  SIGTERM; likewise
"""


def _parser() -> Parser:
    from pneumo_train.studying.plan import study_names  # noqa: PLC0415 - one command's need

    study = Parser(
        description="Train every row of a study with every seed, keep each as a run of one experiment, and write the table "
        "that they make. A row that the store holds already, complete and of the same configuration, is not trained "
        "again: stop the command whenever you like, and the same command goes on. Without --source nothing is trained, and the table is "
        "that of what the store holds.",
        usage="pneumo-train study STUDY [--source SOURCE] [--store URL] [--export FILE] [--data.… options as for fit]",
        epilog=_EXITS,
    )
    study.add_argument("study", type=str, help=f"a YAML file of tables and rows, or one of: {', '.join(study_names())}")
    study.add_argument("--source", type=str | None, help="a directory or zip with a metadata CSV and images")
    study.add_argument("--store", type=str | None, help="the store that holds the study; by default as of fit")
    study.add_argument("--experiment", type=str | None, help="the experiment of its runs; by default the study's name")
    study.add_argument(
        "--export", type=str | None, help="a file for the table: JSON or, where its name ends in .md, Markdown"
    )
    study.add_argument(
        "--checkpoint_dir", type=str, default="results/checkpoints", help="where checkpoints lie while a row is trained"
    )
    study.add_argument("--logs_dir", type=str, default="results/training_logs", help="where metrics files go")
    study.add_argument("--progress", type=bool, default=False, help="show progress bars")
    for key, meaning in meanings_of(DataConfig).items():
        study.add_argument(f"--data.{key}", type=str | None, help=meaning)
    for key, meaning in _OF_THE_MACHINE.items():
        study.add_argument(f"--training.{key}", type=str | None, help=meaning)
    return study


def _run(arguments: Any) -> int:
    from pneumo_train.stores import require_store  # noqa: PLC0415 - one command's need
    from pneumo_train.studying.plan import load_study, tasks_of  # noqa: PLC0415 - as above
    from runstore import open_reader  # noqa: PLC0415 - as above

    study = load_study(arguments.study)
    overrides = {
        f"{section}.{key}": value
        for section in ("data", "training")
        for key, value in arguments.as_dict()[section].items()
        if value is not None
    }
    tasks = tasks_of(study, _typed(overrides))
    if arguments.export is not None:
        require_folder(Path(arguments.export))
    require_store(arguments.store)
    failed = () if arguments.source is None else _train(arguments, study, tasks)

    from pneumo_train.studying.kept import find_study  # noqa: PLC0415 - as above
    from pneumo_train.studying.table import as_json, as_markdown, study_table  # noqa: PLC0415 - as above

    with open_reader(arguments.store) as reader:
        kept = find_study(reader, arguments.experiment or study.name, study.name)
        table = study_table(reader, study, tasks, kept)
    if arguments.export is None:
        click.echo(as_markdown(table), nl=False)
    else:
        text = as_markdown(table) if arguments.export.endswith(".md") else as_json(table)
        write_text(Path(arguments.export), text)
    return 1 if failed else 0


def _train(arguments: Any, study: "Study", tasks: "tuple[Task, ...]") -> tuple[str, ...]:
    require(EXTRA)
    require_working_directory()
    quiet_lightning()
    from pneumo_train.studying.leading import run_study  # noqa: PLC0415 - torch is slow to import
    from runstore import open_store  # noqa: PLC0415 - as above

    with open_store(arguments.store) as store:
        return run_study(
            store,
            tasks,
            name=study.name,
            experiment=arguments.experiment or study.name,
            source_path=arguments.source,
            checkpoint_dir=Path(arguments.checkpoint_dir),
            logs_dir=Path(arguments.logs_dir),
            tell=lambda line: click.echo(on_one_line(line), err=True),
            progress=arguments.progress,
        )


def _typed(overrides: dict[str, str]) -> dict[str, Any]:
    """The options as the configuration has them: what was typed is text.

    Raises:
        ConfigError: a value is of the wrong kind or out of range.
    """
    sections: dict[str, dict[str, str]] = {"data": {}, "training": {}}
    for key, value in overrides.items():
        section, _, leaf = key.partition(".")
        sections[section][leaf] = value
    config = from_dict({section: values for section, values in sections.items() if values})
    found: dict[str, Any] = {}
    for section, values in sections.items():
        found |= {f"{section}.{leaf}": getattr(getattr(config, section), leaf) for leaf in values}
    return found


COMMAND = Command(
    name="study", help="train many rows that differ in one thing, and make the table", parser=_parser, run=_run
)
