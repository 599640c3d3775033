"""The five lines on each database, through the recorder, as a person leads them."""

import numpy as np
import pytest

from runstore import media, open_reader, start_run


@pytest.mark.parametrize(
    "server",
    [
        "sqlite_url",
        pytest.param("postgresql_url", marks=pytest.mark.server),
        pytest.param("mariadb_url", marks=pytest.mark.server),
        pytest.param("mongodb_url", marks=pytest.mark.server),
    ],
)
def test_a_run_is_led_changed_and_read_on_each_database(server: str, request: pytest.FixtureRequest) -> None:
    url = request.getfixturevalue(server)

    with start_run("ct-seg", store=url, config={"lr": 0.1}, note="first", console=False) as run:
        for step in range(3):
            run.log({"train/loss": 1 / (step + 1)}, step=step)
            run.log_image("overlay", np.full((2, 2), step, np.uint8), step=step)
        with run.child(name="fold") as child:
            child.log({"val/auroc": 0.9})
        run.add_tags({"owner": "me"})
        run.set_note("second")
    with start_run(resume=run.id, store=url, console=False) as again:
        again.log({"train/loss": 0.1})

    with open_reader(url) as reader:
        found = reader.get_run(run.id)
        assert (found.status, found.attempt, found.note, found.tags) == ("completed", 2, "second", {"owner": "me"})
        assert list(reader.get_history(run.id, "loss", "train").steps) == [0, 1, 2, 3]
        assert [item.step for item in media.read_series(reader, run.id, "overlay")] == [0, 1, 2]
        assert [each.name for each in reader.list_children(run.id).items] == ["fold"]
        names = {artifact.name for artifact in reader.list_artifacts(run.id)}
        assert "provenance/packages.txt" in names
