"""The demonstration as a person starts it: real clients in Flower's engine, one killed, and the record of it in the store."""

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("flwr", reason="Flower is not installed; it comes with the extra federated of pneumo-train")

from runstore import RunStatus, open_reader
from runstore.rounds import read_rounds

pytestmark = [pytest.mark.training, pytest.mark.federated]

KILLED = "its process was ended by SIGKILL, without an answer"


def test_three_clients_learn_drawn_films_one_is_killed_and_all_of_it_is_in_the_store(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pneumo_train", "demo", "--federated", "true", "--out", "out"]

    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    shown = " ".join(done.stdout.split())
    assert "2 of 3" in shown
    assert "SIGKILL" in shown
    with open_reader(f"sqlite:///{tmp_path / 'out' / 'runs.db'}") as reader:
        (run,) = [run for run in reader.search_runs().items if run.parent_run_id is None]
        assert run.status is RunStatus.COMPLETED
        children = {child.client_id: child for child in reader.list_children(run.id).items if child.client_id}
        assert {name: child.status for name, child in children.items()} == dict.fromkeys(
            ["client-0", "client-1", "client-2"], RunStatus.COMPLETED
        )
        found = {
            (made.number, client.client): (str(client.status), client.reason)
            for made in read_rounds(reader, run.id)
            for client in made.clients
        }
        assert found == {
            (number, name): ("failed", KILLED) if (number, name) == (2, "client-1") else ("completed", "")
            for number in (1, 2, 3)
            for name in children
        }
        assert [point.step for point in reader.get_history(children["client-1"].id, "loss", "train")] == [1, 3]
        assert [point.step for point in reader.get_history(run.id, "auroc", "validation")] == [1, 2, 3]
