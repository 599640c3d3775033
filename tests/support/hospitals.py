"""Clients of a federation over a network: each a process of the command that a hospital runs, with drawn films of its own."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from pneumo_train.demo.phantoms import write_phantoms

SMALL: dict[str, object] = {
    "data.image_size": 32,
    "data.patient_column": "source_patient",
    "data.validation_fraction": 0.3,
    "model.architecture": "small",
    "training.batch_size": 8,
    "training.accelerator": "cpu",
    "evaluation.bootstrap_draws": 20,
}
"""What of a configuration makes a round take a moment."""


def draw_films(folder: Path, names: Iterable[str]) -> None:
    """Draws films for each, into ``<folder>/<name>/films``: 24 patients with one film each, then 25 and so on."""
    for number, name in enumerate(names):
        films = {"patients": 24 + number, "films_per_patient": 1, "positive_share": 0.5, "size": 48, "seed": number}
        write_phantoms(folder / name / "films", **films)  # type: ignore[arg-type]


def options_of(values: Mapping[str, object]) -> list[str]:
    """The words of a command that give these settings."""
    return [word for key, value in values.items() for word in (f"--{key}", str(value))]


def joined(folder: Path, name: str, more: Mapping[str, object] | None = None) -> subprocess.Popen[str]:
    """A client that has been started, by what was drawn and the invitation in ``<folder>/keys``.

    Args:
        folder: of the federation.
        name: of the client.
        more: settings of its data.
    """
    mine = {key: value for key, value in SMALL.items() if key.startswith("data.") and key != "data.image_size"}
    options = options_of(mine | dict(more or {}))
    invitation, source = folder / "keys" / "clients" / name, folder / name / "films"
    return subprocess.Popen(
        [sys.executable, "-m", "pneumo_train", "join", "--folder", invitation, "--source", source, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )


def end(clients: Mapping[str, subprocess.Popen[str]], threads: Sequence[threading.Thread]) -> None:
    """Ends clients, and those who listen to them."""
    for client in clients.values():
        client.send_signal(signal.SIGTERM)
    for client in clients.values():
        client.wait()
    for thread in threads:
        thread.join(60)
    for client in clients.values():
        if client.stdout is not None:
            client.stdout.close()
