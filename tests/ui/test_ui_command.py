"""``runstore ui`` as its users start it."""

import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from runstore import open_store
from runstore.cli.commands import ui
from support.commands import RUNSTORE, environment, runstore_here
from support.page_stores import fill
from support.servers import private_server


def start(*arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*RUNSTORE, "ui", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
    )


def stop(process: "subprocess.Popen[str]") -> tuple[int, str]:
    process.send_signal(signal.SIGINT)
    _, said = process.communicate()
    return process.returncode, said


def test_it_prints_its_address_answers_there_and_ends_well_by_ctrl_c(lab_url: str) -> None:
    process = start("--store", lab_url, "--port", "0")
    assert process.stdout is not None
    address = process.stdout.readline().strip()

    with urllib.request.urlopen(address) as answer:
        text = answer.read().decode()
    status, said = stop(process)

    assert urlsplit(address).hostname == "127.0.0.1"
    assert "resnet18 lr 0.001" in text
    assert (status, "Traceback" in said) == (0, False), said


def test_the_network_needs_the_token_that_is_printed(lab_url: str) -> None:
    process = start("--store", lab_url, "--port", "0", "--host", "0.0.0.0")
    assert process.stdout is not None
    address = urlsplit(process.stdout.readline().strip())

    here = f"http://127.0.0.1:{address.port}/"
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(here)
    cookies = urllib.request.HTTPCookieProcessor()
    with urllib.request.build_opener(cookies).open(f"{here}?{address.query}") as answer:
        text = answer.read().decode()
    refused.value.close()
    stop(process)

    assert refused.value.code == 403
    assert address.query.startswith("token=")
    assert "resnet18 lr 0.001" in text


def test_the_address_of_the_network_is_one_that_answers(lab_url: str) -> None:
    process = start("--store", lab_url, "--port", "0", "--host", "0.0.0.0")
    assert process.stdout is not None
    address = urlsplit(process.stdout.readline().strip())

    asked = urllib.request.Request(
        f"http://127.0.0.1:{address.port}/?{address.query}", headers={"Host": address.netloc}
    )
    with urllib.request.build_opener(urllib.request.HTTPCookieProcessor()).open(asked) as answer:
        status = answer.status
    stop(process)

    assert address.hostname == socket.gethostname().lower()
    assert status == 200


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_although_somebody_downloads(ending: signal.Signals, tmp_path: Path) -> None:
    large = tmp_path / "large.bin"
    large.touch()
    os.truncate(large, 64 << 20)
    url = f"sqlite:///{tmp_path / 'runs.db'}"
    with open_store(url, durable=False) as store:
        store.log_artifact(store.ensure_run(store.get_or_create_experiment("e"), run_id="r"), large)
    process = start("--store", url, "--port", "0")
    assert process.stdout is not None
    port = urlsplit(process.stdout.readline().strip()).port

    with socket.create_connection(("127.0.0.1", port)) as browser:
        browser.sendall(b"GET /file?id=r&name=large.bin HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert browser.recv(1000).startswith(b"HTTP/1.1 200")
        process.send_signal(ending)
        try:
            _, said = process.communicate(timeout=60)
        finally:
            process.kill()

    assert process.returncode == (0 if ending is signal.SIGINT else -signal.SIGTERM)
    assert "Traceback" not in said


@pytest.mark.server
def test_it_ends_although_the_database_does_not_answer_and_has_its_looks_till_then() -> None:
    with private_server("postgresql", durable=False) as server:
        url = server.new_database()
        fill(url)
        process = start("--store", url, "--port", "0")
        assert process.stdout is not None
        port = urlsplit(process.stdout.readline().strip()).port
        with socket.create_connection(("127.0.0.1", port)) as browser:
            browser.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert browser.recv(1000).startswith(b"HTTP/1.1 200")
            frozen = [each for pid in server.pids for each in (pid, *children_of(pid))]
            for pid in frozen:
                os.kill(pid, signal.SIGSTOP)
            try:
                browser.sendall(b"GET /deleted HTTP/1.1\r\nHost: localhost\r\n\r\n")
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/assets/page.css") as asset:
                    looks = asset.read()
                process.send_signal(signal.SIGINT)
                _, said = process.communicate(timeout=60)
            finally:
                process.kill()
                for pid in frozen:
                    os.kill(pid, signal.SIGCONT)

    assert looks
    assert process.returncode == 1
    assert "the database does not answer" in said
    assert "Traceback" not in said


def children_of(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return [int(each) for each in found.split()]


def test_a_port_that_is_taken_and_a_store_that_is_not_there_are_told(lab_url: str, tmp_path: Path) -> None:
    process = start("--store", lab_url, "--port", "0")
    assert process.stdout is not None
    port = urlsplit(process.stdout.readline().strip()).port
    taken = runstore_here("ui", "--store", lab_url, "--port", str(port))
    stop(process)

    missing = runstore_here("ui", "--store", f"sqlite:///{tmp_path / 'none.db'}")

    nowhere = runstore_here("ui", "--store", lab_url, "--host", "")

    assert "--port" in str(taken.exception)
    assert "--host" in str(nowhere.exception)
    assert "none.db" in str(missing.exception)


def test_without_its_extra_it_says_what_to_install(lab_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [each for each in sys.modules if each.startswith("runstore_ui")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "starlette.applications", None)

    done = runstore_here("ui", "--store", lab_url)

    assert 'pip install "runstore[ui]"' in str(done.exception)
    assert ui.command.name == "ui"
