"""A server of a federation over a network that goes and comes again, while its clients stay."""

import contextlib
import dataclasses
import itertools
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import psutil
import pytest

pytest.importorskip("flwr", reason="Flower is not installed; it comes with the extra federated of pneumo-train")

from flwr.supercore.retry import http_retry

from pneumo_train.federating.flower import starting
from pneumo_train.federating.flower.hosting import hosted
from pneumo_train.federating.invitations import hosting_of, invite
from pneumo_train.federating.last import Last, find_last
from pneumo_train.federating.services import free_port
from runstore import RunStatus, open_reader
from runstore.rounds import read_rounds
from support.hospitals import SMALL, draw_films, end, joined, options_of

pytestmark = [pytest.mark.training, pytest.mark.federated, pytest.mark.filterwarnings("default")]

CLIENTS = ("north", "south")


def led(folder: Path, url: str, run_id: str) -> subprocess.Popen[bytes]:
    """The server of a federation of two rounds: the command, which goes on with what there is."""
    words = ["--invited", str(folder / "keys"), "--source", str(folder / "server" / "films"), "--store", url]
    words += [
        "--run_id",
        run_id,
        "--resume",
        "true",
        "--num_rounds",
        "2",
        "--min_answers",
        "2",
        "--round_timeout",
        "300",
    ]
    words += ["--checkpoint_dir", str(folder / "checkpoints"), "--wait_for_clients", "300", *options_of(SMALL)]
    return subprocess.Popen([sys.executable, "-m", "pneumo_train", "federate", *words])


def last_of(folder: Path, run_id: str) -> Last:
    found = find_last(folder / "checkpoints" / run_id)
    assert found is not None
    return found


def kill_supernode(client: subprocess.Popen[str]) -> None:
    """Kills what carries a client's messages: the server hears no word of it."""
    for each in psutil.Process(client.pid).children(recursive=True):
        with contextlib.suppress(psutil.Error):  # it has just ended
            if "supernode" in each.cmdline():
                each.kill()


@pytest.mark.timeout(2000)  # three federations and the minute in which the killed SuperNode is taken for present
def test_a_server_and_a_supernode_that_were_killed_go_on_with_the_clients_that_are_still_there_to_the_same_weights(
    tmp_path: Path,
) -> None:
    draw_films(tmp_path, ("server", *CLIENTS))
    invite(tmp_path / "keys", "localhost", free_port(), CLIENTS)
    url = f"sqlite:///{tmp_path / 'runs.db'}"
    said: list[str] = []
    clients = {name: joined(tmp_path, name) for name in CLIENTS}
    is_in_the_second_round = threading.Event()

    def listen(client: subprocess.Popen[str]) -> None:
        for line in client.stdout or ():
            said.append(line.strip())
            if line.startswith("round 2, train: done"):
                is_in_the_second_round.set()

    def told() -> str:
        return "\n".join(said)

    threads = [threading.Thread(target=listen, args=(client,), daemon=True) for client in clients.values()]
    for thread in threads:
        thread.start()
    try:
        with contextlib.ExitStack() as servers:
            first = servers.enter_context(led(tmp_path, url, "hospitals"))
            assert is_in_the_second_round.wait(600), told()
            first.kill()
            first.wait()
            kill_supernode(clients["north"])
            again = servers.enter_context(led(tmp_path, url, "hospitals"))
            assert again.wait(600) == 0, told()
            undisturbed = servers.enter_context(led(tmp_path, url, "undisturbed"))
            assert undisturbed.wait(600) == 0, told()
        assert [client.poll() for client in clients.values()] == [None, None], told()
    finally:
        end(clients, threads)

    with open_reader(url) as reader:
        run = reader.get_run("hospitals")
        children = {child.client_id: child for child in reader.list_children("hospitals").items if child.client_id}
        points = [point.step for point in reader.get_history("hospitals", "auroc", "validation")]
        rounds = read_rounds(reader, "hospitals")
    assert (run.status, run.attempt) == (RunStatus.COMPLETED, 2)
    assert {name: (child.status, child.attempt) for name, child in children.items()} == dict.fromkeys(
        CLIENTS, (RunStatus.COMPLETED, 2)
    )
    assert points == [1, 2]
    assert [{each.client: each.status for each in made.clients} for made in rounds] == [
        dict.fromkeys(CLIENTS, "completed")
    ] * 2
    mine, theirs = last_of(tmp_path, "hospitals").arrays, last_of(tmp_path, "undisturbed").arrays
    assert all(np.array_equal(array, theirs[name]) for name, array in mine.items())


def test_a_client_that_the_server_does_not_know_yet_or_no_longer_stays_and_is_let_in(tmp_path: Path) -> None:
    draw_films(tmp_path, ["north"])
    invite(tmp_path / "keys", "localhost", free_port(), CLIENTS)
    hosting = hosting_of(tmp_path / "keys")
    said: list[str] = []
    client = joined(tmp_path, "north")
    listener = threading.Thread(target=lambda: said.extend(line.strip() for line in client.stdout or ()), daemon=True)
    listener.start()

    def who_is_there(invited: str, wait: float) -> set[str]:
        one = dataclasses.replace(hosting, keys={invited: hosting.keys[invited]})
        with hosted(one, at_least=0, wait=wait, say=said.append) as there:
            return {name for name, share in there.shares.items() if share.parts}

    try:
        found = [who_is_there("south", 15)]
        found.append(who_is_there("north", 300))
        found += [who_is_there("south", 1), who_is_there("south", 1)]
        found.append(who_is_there("north", 300))
    finally:
        end({"north": client}, [listener])

    assert found == [set(), {"north"}, set(), set(), {"north"}], "\n".join(said)
    assert any("the SuperNode has gone: [code: 2004]" in line for line in said), "\n".join(said)


def test_a_supernode_tries_to_reach_its_server_each_few_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    before = http_retry.make_simple_http_retry_invoker().wait_gen_factory()
    monkeypatch.setattr(http_retry, "MAX_RETRY_DELAY", http_retry.MAX_RETRY_DELAY)  # is put back

    starting.try_often()

    after = http_retry.make_simple_http_retry_invoker().wait_gen_factory()
    assert max(itertools.islice(after, 10)) < max(itertools.islice(before, 10)) / 2
