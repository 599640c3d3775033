"""Who may take part in a federation over a network, and what those who may not can reach."""

import asyncio
import shutil
import socket
import ssl
import stat
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("cryptography", reason="it comes with the extra federated of pneumo-train")

from pneumo_train.cli import main
from pneumo_train.errors import ConfigError, FederationError
from pneumo_train.federating.flower.starting import Fence
from pneumo_train.federating.invitations import hosting_of, invitation_in, invite, public_pem
from pneumo_train.federating.sites import Share

DIGEST = "a" * 64
COUNTS = {"images": 3, "patients": 2, "positives": 1}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("federation")
    invite(folder, "localhost", 9092, ["north", "south"])
    return folder


def test_a_client_has_what_it_needs_to_join_and_the_server_its_public_key(made: Path) -> None:
    invitation, hosting = invitation_in(made / "clients" / "north"), hosting_of(made)

    assert (invitation.client, invitation.address) == ("north", "localhost:9092")
    assert invitation.authority.read_bytes() == hosting.authority.read_bytes()
    assert set(hosting.keys) == {"north", "south"}
    assert hosting.keys["north"].read_text().startswith("ecdsa-sha2-nistp384 ")


@pytest.mark.skipif(sys.platform == "win32", reason="no modes of files")
def test_no_other_user_of_the_machine_can_read_a_private_key(made: Path) -> None:
    keys = [made / "server" / "key.pem", *made.glob("clients/*/key")]

    assert [stat.S_IMODE(key.stat().st_mode) for key in keys] == [0o600] * 3


def test_the_servers_certificate_is_believed_by_whoever_has_its_authority_and_by_nobody_else(made: Path) -> None:
    hosting = hosting_of(made)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(hosting.certificate, hosting.key)

    def greet(trusted: ssl.SSLContext) -> str:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            thread = threading.Thread(target=_accept, args=(listening, context))
            thread.start()
            try:
                with (
                    socket.create_connection(listening.getsockname()) as connection,
                    trusted.wrap_socket(connection, server_hostname="localhost") as greeted,
                ):
                    return str(greeted.version())
            finally:
                thread.join()

    strict = ssl.create_default_context(cafile=str(hosting.authority))
    strict.verify_flags |= ssl.VERIFY_X509_STRICT
    assert greet(strict).startswith("TLS")
    with pytest.raises(ssl.SSLCertVerificationError):
        greet(ssl.create_default_context())


def _accept(listening: socket.socket, context: ssl.SSLContext) -> None:
    connection, _ = listening.accept()
    with connection:
        try:
            context.wrap_socket(connection, server_side=True).close()
        except (ssl.SSLError, ConnectionError):
            return


def test_who_is_invited_later_gets_a_key_and_the_others_keep_theirs(made: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(made, tmp_path / "federation")
    before = (folder / "clients" / "north" / "key").read_bytes()

    assert invite(folder, None, 9092, ["north", "east"]) == ["east"]

    assert (folder / "clients" / "north" / "key").read_bytes() == before
    assert set(hosting_of(folder).keys) == {"north", "south", "east"}


@pytest.mark.parametrize(
    ("host", "names", "message"),
    [
        (None, ["north"], "give the one by which clients reach this machine"),
        ("localhost", ["../north"], "a client's name is up to 63 letters"),
        ("localhost", [".."], "a client's name is up to 63 letters"),
        ("a b c", ["north"], "give a name, as federation.example.org, or an IPv4 address"),
        ("300.1.1.1", ["north"], "give a name, as federation.example.org, or an IPv4 address"),
        ("example.org:9092", ["north"], "give a name, as federation.example.org, or an IPv4 address"),
        ("-x.example.org", ["north"], "give a name, as federation.example.org, or an IPv4 address"),
        ("2001:db8::1", ["north"], "listens at IPv4 addresses only"),
        ("münchen.example", ["north"], r"as it is in the network: xn--mnchen-3ya\.example"),
    ],
)
def test_a_mistake_of_an_invitation_is_told_and_nothing_is_made(
    tmp_path: Path, host: str | None, names: list[str], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        invite(tmp_path / "federation", host, 9092, names)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("port", [0, -1, 65_536])
def test_a_port_that_is_none_is_refused_and_nothing_is_made(tmp_path: Path, port: int) -> None:
    with pytest.raises(ConfigError, match=f"port = {port}: wanted a whole number from 1 to 65,535"):
        invite(tmp_path / "federation", "localhost", port, ["north"])

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("host", ["federation", "federation.example.org", "hospital_1", "192.0.2.1"])
def test_a_name_or_an_address_is_a_host(tmp_path: Path, host: str) -> None:
    invite(tmp_path, host, None, ["north", "south"])

    assert (hosting_of(tmp_path).host, hosting_of(tmp_path).port) == (host, 9092)


def test_another_port_than_that_which_the_clients_were_told_is_refused(made: Path) -> None:
    with pytest.raises(ConfigError, match=r"port = 1234: the federation in .* is at port 9092"):
        invite(made, None, 1234, ["east"])


def test_a_client_whose_folder_was_not_finished_is_invited(made: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(made, tmp_path / "federation")
    (folder / "clients" / "north" / "key.pub").unlink()
    (folder / "clients" / "west").mkdir()

    assert invite(folder, None, None, ["north", "south", "west"]) == ["north", "west"]

    assert set(hosting_of(folder).keys) == {"north", "south", "west"}
    assert invitation_in(folder / "clients" / "west").client == "west"


def test_two_clients_with_one_key_are_refused(made: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(made, tmp_path / "federation")
    shutil.copytree(folder / "clients" / "north", folder / "clients" / "copied")

    with pytest.raises(ConfigError, match=r"copied and north have one key \(key\.pub\)"):
        hosting_of(folder)


def test_all_who_are_invited_can_be_wanted_to_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    invite(tmp_path / "keys", "localhost", None, ["north", "south", "east", "west", "middle"])
    monkeypatch.chdir(tmp_path)

    def said(answers: int) -> str:
        words = ["federate", "--invited", "keys", "--source", "nowhere", "--min-answers", str(answers)]
        assert main(words) != 0  # there are no films
        return " ".join(capsys.readouterr().err.split())

    assert "min_answers" not in said(5)
    assert "only 5 clients are asked in a round" in said(6)


def test_another_host_than_that_of_the_certificate_is_refused(made: Path) -> None:
    with pytest.raises(ConfigError, match="is at 'localhost', and its certificate says so"):
        invite(made, "elsewhere.example.org", 9092, ["east"])


def test_a_folder_that_is_no_invitation_and_one_with_a_single_client_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is no invitation to a federation"):
        invitation_in(tmp_path)
    with pytest.raises(ConfigError, match=r"found no federation\.json there"):
        hosting_of(tmp_path)
    invite(tmp_path, "localhost", 9092, ["north"])
    with pytest.raises(ConfigError, match="1 clients are invited, and a federation has two or more"):
        hosting_of(tmp_path)


@pytest.mark.parametrize("text", ["ssh-ed25519 AAAA", "ssh-rsa", ""])
def test_a_file_that_holds_no_key_of_the_right_kind_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "key.pub"
    path.write_text(text)

    with pytest.raises(ConfigError, match="make one by: ssh-keygen -t ecdsa -b 384"):
        public_pem(path)


@pytest.mark.parametrize(
    ("path", "client", "status"),
    [
        ("/v1/fleet/pull-messages", "192.0.2.7", 200),
        ("/health", "192.0.2.7", 200),
        ("/v1/control/register-node", "192.0.2.7", 403),
        ("/v1/control/start-run", "127.0.0.2", 403),
        ("/v1/runtime/acquire-task", "192.0.2.7", 403),
        ("/v1/fleet", "192.0.2.7", 403),
        ("/docs", "192.0.2.7", 403),
        ("/v1/control/start-run", "192.0.2.1", 200),
    ],
)
def test_another_machine_reaches_the_clients_part_of_a_superlink_and_nothing_else(
    path: str, client: str, status: int
) -> None:
    scope = {"type": "http", "path": path, "client": (client, 40_000), "server": ("192.0.2.1", 9092)}

    assert asyncio.run(_status_of(scope)) == status


async def _status_of(scope: dict[str, Any]) -> int:
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def let_through(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200})

    await Fence(let_through)(scope, None, send)
    return int(sent[0]["status"])


@pytest.mark.parametrize(
    "about",
    [
        None,
        {"parts": {"train": COUNTS}, "digest": DIGEST},
        {"parts": {"train": COUNTS, "validation": {**COUNTS, "images": -1}}, "digest": DIGEST},
        {"parts": {"train": COUNTS, "validation": {**COUNTS, "images": "3"}}, "digest": DIGEST},
        {"parts": {"train": COUNTS, "validation": {**COUNTS, "names": 1}}, "digest": DIGEST},
        {"parts": {"train": COUNTS, "validation": COUNTS}, "digest": "b"},
    ],
)
def test_what_a_client_says_of_its_films_is_counts_and_a_hash_or_is_refused(about: Any) -> None:
    with pytest.raises(FederationError, match="north says of its films what"):
        Share.told("north", about)


def test_what_a_client_says_of_its_films_is_understood_by_the_server() -> None:
    share = Share(parts={"train": COUNTS, "validation": COUNTS}, digest=DIGEST)

    assert Share.told("north", share.describe()) == share
    assert share.images == 6
