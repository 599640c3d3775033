"""Ends the servers of a state directory when the process that owns the directory has ended.

Run as ``python -m support.reaper DIRECTORY`` with a pipe as standard input. Nothing is ever written to the pipe: it closes when
its owner closes it or dies, even by SIGKILL, and that is the sign.
"""

import shutil
import signal
import sys
import time
from contextlib import suppress

import psutil

from support.processes import is_running

SERVERS = {
    "mariadbd": signal.SIGKILL,
    "mongod": signal.SIGKILL,
    "postgres": signal.SIGQUIT,  # "immediate": a killed postmaster would leave its shared memory behind
    "weed": signal.SIGKILL,
}
PATIENCE_S = 10.0


def end_servers(directory: str) -> None:
    """Ends every server process that has the directory in its command line or as its working directory."""
    found = [
        process
        for process in psutil.process_iter(["name", "cmdline", "cwd"])
        if process.info["name"] in SERVERS
        and any(directory in text for text in (*(process.info["cmdline"] or ()), process.info["cwd"] or ""))
    ]
    for process in found:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(SERVERS[process.info["name"]])
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline and any(process.is_running() and is_running(process.pid) for process in found):
        time.sleep(0.02)
    for process in found:
        with suppress(psutil.NoSuchProcess):
            process.kill()


if __name__ == "__main__":
    sys.stdin.buffer.read()
    end_servers(sys.argv[1])
    shutil.rmtree(sys.argv[1], ignore_errors=True)
