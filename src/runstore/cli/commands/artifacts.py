"""``runstore artifacts``: the files of a run."""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import click

from runstore.cli.finding import find_files, find_run, open_artifact
from runstore.cli.groups import Subcommands
from runstore.cli.options import Form, examples, form_options, store_option
from runstore.cli.output.programs import print_csv, print_json
from runstore.cli.output.tables import Column, print_table
from runstore.cli.output.text import print_line
from runstore.health import split_reports
from runstore.local.files import copy_out
from runstore.model import Artifact
from runstore.opening.stores import open_reader
from runstore.texts import size_text, time_text, time_zone

_TITLES = ("name", "artifact_type", "size", "is_stored", "sha256", "uri", "created_at", "metadata")


@click.group("artifacts", cls=Subcommands)
def command() -> None:
    """List the files of a run, and get them out of the store."""


@command.command("ls", epilog=examples("runstore artifacts ls @1"))
@click.argument("run")
@store_option
@form_options
def listed(run: str, *, store: str | None, form: Form) -> None:
    """List the files of a run, by name.

    RUN is its id, the beginning or the end of it, its name, or @1 for the newest.
    """
    with open_reader(store) as reader:
        run_id = find_run(reader, run).id
        records = reader.list_artifacts(run_id)
    artifacts = split_reports(run_id, records)[1]
    if form is Form.JSON:
        print_json(artifacts)
    elif form is Form.CSV:
        print_csv(_TITLES, [[getattr(each, title) for title in _TITLES] for each in artifacts])
    elif not artifacts:
        print_line("The run has no artifacts.")
    else:
        _print_table(artifacts)


def _print_table(artifacts: Sequence[Artifact]) -> None:
    print_table(
        [
            Column("artifact"),
            Column("type", goes=2),
            Column("size", is_number=True),
            Column(f"kept\n({time_zone()})", goes=3),
        ],
        [
            [
                each.name,
                each.artifact_type,
                "not kept" if each.size is None else size_text(each.size),
                time_text(each.created_at),
            ]
            for each in artifacts
        ],
    )


@command.command(
    "get",
    epilog=examples(
        "runstore artifacts get @1 checkpoints/best.ckpt", "runstore artifacts get @1 overlay overlays/ --all"
    ),
)
@click.argument("run")
@click.argument("name")
@click.argument("target", required=False)
@store_option
@click.option("--step", type=int, help="Of a series, the file of this step; by default the last one.")
@click.option("--all", "is_all", is_flag=True, help="All files of a series, into the folder TARGET.")
@click.option("--force", is_flag=True, help="Replace a file that is there already.")
def get(  # noqa: PLR0913 - an option each
    run: str, name: str, target: str | None, *, store: str | None, step: int | None, is_all: bool, force: bool
) -> None:
    """Get an artifact's bytes into a file, checked against their SHA-256.

    RUN is a run's id, the beginning or the end of it, its name, or @1 for the newest; NAME is the artifact's, or that of
    a series of images, tables or texts, as `runstore show` lists them; TARGET the file to write, by default the
    name's last part.
    """
    if is_all and step is not None:
        raise click.UsageError("--all and --step exclude each other")
    with open_reader(store) as reader:
        run_id = find_run(reader, run).id
        found = find_files(reader, run_id, name, step=step, is_all=is_all)
        folder = Path(target or PurePosixPath(name).name) if is_all else None
        for artifact in found:
            place = folder / PurePosixPath(artifact).name if folder else Path(target or _default_target(name, artifact))
            with open_artifact(reader, run_id, artifact) as source:
                copy_out(source, place, overwrite=force)
            print_line(str(place))


def _default_target(name: str, artifact: str) -> str:
    """The artifact's last part, with the name before it if that is a step of a series: no two series share a file."""
    last = PurePosixPath(artifact).name
    return f"{PurePosixPath(name).name}-{last}" if artifact.startswith(f"{name}/") else last
