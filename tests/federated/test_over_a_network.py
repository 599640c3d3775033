"""A federation over a network: a SuperLink and SuperNodes of Flower's with certificates and keys, each client with films of its own."""

import contextlib
import dataclasses
import shutil
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

pytest.importorskip("flwr", reason="Flower is not installed; it comes with the extra federated of pneumo-train")

from pneumo_train.config.federation import FederationConfig
from pneumo_train.config.settings import load_config
from pneumo_train.errors import FederationError
from pneumo_train.federated import FederatedTrainer
from pneumo_train.federating.flower import attending, hosting
from pneumo_train.federating.flower.attending import attend
from pneumo_train.federating.invitations import hosting_of, invitation_in, invite
from pneumo_train.federating.result import FederationResult
from pneumo_train.federating.services import free_port
from pneumo_train.federating.values import Answer, Request
from runstore import RunStatus, open_reader
from runstore.rounds import read_rounds
from support.hospitals import SMALL, draw_films, end, joined

pytestmark = [pytest.mark.training, pytest.mark.federated, pytest.mark.filterwarnings("default")]

CLIENTS = ("north", "south")
KILLED = "south"


@dataclasses.dataclass(frozen=True)
class Seen:
    """What became of a federation of two clients and one who was not invited.

    Attributes:
        result: of the federation.
        url: of the store that has its record.
        uninvited: what became of the one who has a key of its own.
        environments: of the services of Flower's while it ran.
        said: by each client.
    """

    result: FederationResult
    url: str
    uninvited: str
    environments: list[dict[str, str]]
    said: dict[str, list[str]]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    """Leads a federation of two rounds. After the first, one client is killed with all that it has started."""
    folder = tmp_path_factory.mktemp("federation")
    draw_films(folder, ("server", *CLIENTS))
    port, url = free_port(), f"sqlite:///{folder / 'runs.db'}"
    invite(folder / "keys", "localhost", port, CLIENTS)
    environments: list[dict[str, str]] = []
    said: dict[str, list[str]] = {name: [] for name in CLIENTS}
    clients = {name: joined(folder, name, {"data.test_fraction": 0.2} if name == KILLED else {}) for name in CLIENTS}

    def listen(name: str) -> None:
        for line in clients[name].stdout or ():
            said[name].append(line.strip())
            if name == KILLED and line.startswith("round 1, evaluate: done"):
                environments.extend(_environments_of_services())
                clients[name].kill()

    uninvited: list[str] = []
    threads = [
        *(threading.Thread(target=listen, args=(name,), daemon=True) for name in CLIENTS),
        threading.Thread(target=lambda: uninvited.append(_try_uninvited(folder, port)), daemon=True),
    ]
    for thread in threads:
        thread.start()
    try:
        trainer = FederatedTrainer(
            checkpoint_dir=folder / "checkpoints",
            config=load_config(overrides=SMALL),
            federation=FederationConfig(num_rounds=2),
            invited=folder / "keys",
        )
        with pytest.MonkeyPatch.context() as context:
            # Whoever is refused must have heard it often enough before this short federation is over.
            context.setattr(attending, "_PAUSE_S", 0.5)
            context.setattr(attending, "_TRIES", 5)
            context.setenv("RUNSTORE_URL", url)
            context.setenv("PGPASSWORD", "secret")
            result = trainer.train(folder / "server" / "films", "hospitals")
        yield Seen(result, url, _only(uninvited, threads[-1]), environments, said)
    finally:
        print(said)  # noqa: T201 - shown where it fails
        end(clients, threads)


def _try_uninvited(folder: Path, port: int) -> str:
    """Somebody who trusts the server's certificate, and has a key that nobody has invited."""
    invite(folder / "others", "localhost", port, ["west", "east"])
    mine = folder / "others" / "clients" / "west"
    shutil.copy(folder / "keys" / "server" / "authority.pem", mine / "authority.pem")
    with pytest.raises(FederationError) as caught:
        attend(invitation_in(mine), folder, _never, {}, lambda _text: None)
    return str(caught.value)


def _never(_request: Request, _is_over: object) -> Answer:
    raise AssertionError("one who is not invited is asked to work")


def _only(found: list[str], thread: threading.Thread) -> str:
    thread.join(60)
    return found[0]


def _environments_of_services() -> Iterator[dict[str, str]]:
    for each in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):  # it has just ended
            if "pneumo_train.federating.flower.starting" in each.cmdline():
                yield each.environ()


def test_two_rounds_are_played_and_recorded_as_those_of_a_simulation_are(seen: Seen) -> None:
    with open_reader(seen.url) as reader:
        run = reader.get_run(seen.result.run_id)
        config = reader.get_config(run.id)
        children = {child.client_id: child for child in reader.list_children(run.id).items}
        points = [point.step for point in reader.get_history(run.id, "auroc", "validation")]
        mine = [point.step for point in reader.get_history(children["north"].id, "loss", "train")]

    assert (run.status, run.training_mode) == (RunStatus.COMPLETED, "federated")
    assert points == [1, 2]
    assert mine == [1, 2]
    assert config["federation"]["partition"] == "own"
    assert sum(config["partition"]["north"][part]["images"] for part in ("train", "validation")) == 25
    assert sum(config["partition"]["south"][part]["images"] for part in ("train", "validation")) == 20  # of 26
    assert config["split"]["validation"]["images"] == 24
    assert "train" not in config["split"]
    assert Path(seen.result.best_model_path).is_file()
    assert seen.result.is_recorded


def test_a_client_that_is_killed_drops_out_and_the_record_says_so(seen: Seen) -> None:
    with open_reader(seen.url) as reader:
        rounds = {
            (made.number, client.client): str(client.status)
            for made in read_rounds(reader, seen.result.run_id)
            for client in made.clients
        }
        children = {child.client_id: child for child in reader.list_children(seen.result.run_id).items}

    assert rounds == {
        (1, "north"): "completed",
        (1, "south"): "completed",
        (2, "north"): "completed",
        (2, "south"): "away",
    }
    assert {name: child.status for name, child in children.items()} == {
        "north": RunStatus.COMPLETED,
        "south": RunStatus.FAILED,
    }


def test_one_whose_key_is_not_known_is_refused(seen: Seen) -> None:
    assert seen.uninvited.startswith("west takes no part in the federation at localhost:")
    assert "[code: 2004] Failed to activate SuperNode" in seen.uninvited
    assert "key.pub" in seen.uninvited


def test_no_service_of_flowers_has_anything_of_the_stores_in_its_environment(seen: Seen) -> None:
    assert seen.environments
    assert [name for found in seen.environments for name in found if name in {"RUNSTORE_URL", "PGPASSWORD"}] == []
    assert all(found["FLWR_TELEMETRY_ENABLED"] == "0" for found in seen.environments)


def test_a_port_of_somebody_elses_is_refused(tmp_path: Path) -> None:
    port = free_port()
    invite(tmp_path, "localhost", port, CLIENTS)

    with (
        socket.create_server(("127.0.0.1", port)),
        pytest.raises(FederationError, match=f"port {port} is in use, perhaps by another SuperLink"),
        hosting.hosted(hosting_of(tmp_path), at_least=1, wait=1, say=lambda _text: None),
    ):
        pass


def test_a_run_that_flower_leaves_pending_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    invite(tmp_path, "localhost", free_port(), CLIENTS)
    monkeypatch.setattr(hosting, "_PENDING_S", 2.0)
    monkeypatch.setattr(hosting, "taking", lambda *_: contextlib.nullcontext(lambda _kind: None))  # nobody takes it

    with (
        pytest.raises(FederationError, match=r"Flower's run \d+ is still pending after 2 s"),
        hosting.hosted(hosting_of(tmp_path), at_least=1, wait=1, say=lambda _text: None),
    ):
        pass
