"""``runstore verify``: whether a copy is complete."""

import click

from runstore.cli.changing import many
from runstore.cli.finding import find_experiment
from runstore.cli.options import examples, json_option
from runstore.cli.output.programs import print_json
from runstore.cli.output.text import print_line
from runstore.cli.progress import progress
from runstore.errors import ConflictError
from runstore.moving import Selection, Verdict, verify
from runstore.opening.stores import open_reader


@click.command("verify", epilog=examples("runstore verify sqlite:///runs.db postgresql://me@host/lab"))
@click.argument("source", metavar="SRC")
@click.argument("target", metavar="DST")
@click.option("--experiment", metavar="NAME", help="Only runs of this experiment; its id does as well.")
@click.option("--filter", "where", metavar="TEXT", help="Only runs that fit, such as: status = 'completed'")
@click.option("--src-artifacts", metavar="PLACE", help="Where SRC keeps the bytes of artifacts, if that was named.")
@click.option("--dst-artifacts", metavar="PLACE", help="Where DST keeps them, if that was named.")
@click.option("--no-bytes", is_flag=True, help="Compare the records of artifacts alone; read no bytes.")
@json_option
def command(  # noqa: PLR0913 - an option each
    source: str,
    target: str,
    *,
    experiment: str | None,
    where: str | None,
    src_artifacts: str | None,
    dst_artifacts: str | None,
    no_bytes: bool,
    as_json: bool,
) -> None:
    """Compare the runs of one store with those of another: every fact, point and byte.

    Of each run of SRC that differs in DST, or is not there, the first difference is named, and the exit status is 1. What
    DST has beside them counts for nothing.
    """
    with open_reader(source, artifacts=src_artifacts) as one, open_reader(target, artifacts=dst_artifacts) as other:
        experiment_id = None if experiment is None else find_experiment(one, experiment).id
        selection = Selection(filter=where, experiment_id=experiment_id)
        with progress("comparing", selection.count(one)) as bar:
            found = verify(one, other, selection, with_bytes=not no_bytes, told=bar.done)
    if as_json:
        print_json(found)
    else:
        _print_verdict(found)
    if found.differences:
        raise ConflictError(
            f"{len(found.differences):,} of {found.runs:,} runs differ; `runstore copy --thorough` with the same stores "
            "brings what is missing and what is different, and leaves what DST has beside that"
        )


def _print_verdict(found: Verdict) -> None:
    for each in found.differences:
        print_line(f"{each.run_id}  {each.what}: {each.source} in SRC, {each.target} in DST")
    counts = many(found.runs, "run"), many(found.points, "point"), many(found.files, "file")
    print_line("{}, {} and the bytes of {} compared".format(*counts))
