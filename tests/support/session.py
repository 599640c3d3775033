"""The pytest side of the servers: one set per session, skips that are counted, a summary at the end."""

import os
import re
from collections import Counter
from pathlib import Path
from typing import NoReturn

import pytest

from support.processes import STATE_VARIABLE, StateDirectory
from support.servers import Server, ServerUnavailableError, shared_server

NOT_RUN = "not run: "
SERVER_OF_FIXTURE = {
    "browser": "chromium",
    "mariadb_url": "mariadb",
    "mongodb_replica_url": "mongodb-replica",
    "mongodb_url": "mongodb",
    "postgresql_url": "postgresql",
    "s3_server": "s3",
}
_KINDS = pytest.StashKey[set[str]]()
_TRAINING_FILE = re.compile(r"^pytestmark\s*=.*\btraining\b", re.MULTILINE)


def own_state(config: pytest.Config) -> None:
    """Makes the session's state directory, in the process that outlives all workers."""
    if STATE_VARIABLE in os.environ:  # a worker of this session, or a pytest inside a test: share, and leave alone
        return
    state = StateDirectory()
    os.environ[STATE_VARIABLE] = str(state.path)
    os.environ.pop("RUNSTORE_URL", None)  # no test may write into the store that a developer works with
    os.environ["RUNSTORE_STATE_DIR"] = str(state.path / "runstore-state")

    def give_back() -> None:
        os.environ.pop(STATE_VARIABLE, None)
        os.environ.pop("RUNSTORE_STATE_DIR", None)
        state.close()

    config.add_cleanup(give_back)


def server_or_skip(kind: str, request: pytest.FixtureRequest) -> Server:
    """The session's server; the test is counted for it, as run or as not run."""
    try:
        server = shared_server(kind)
    except ServerUnavailableError as error:
        missing_server(error)
    if request.scope != "session":
        needs(request.node, kind)
    return server


def needs(node: pytest.Item | pytest.Collector, kind: str) -> None:
    """Has the test, or each test of a module or class, counted for a kind of server."""
    node.stash.setdefault(_KINDS, set()).add(kind)


def kinds_needed(item: pytest.Item) -> set[str]:
    """The kinds of server that a test, its class or its module has asked for."""
    return set().union(*(node.stash.get(_KINDS, set()) for node in item.listchain()))


def missing_server(error: ServerUnavailableError) -> NoReturn:
    """Skips the test for want of a server, or fails it where RUNSTORE_TEST_REQUIRE asks for all."""
    missing(str(error), needed=os.environ.get("RUNSTORE_TEST_REQUIRE") == "all")


def missing(what: str, *, needed: bool) -> NoReturn:
    """Skips the test for want of something, counted; or fails it where that is needed."""
    reason = NOT_RUN + what
    if needed:
        pytest.fail(f"{reason} (RUNSTORE_TEST_REQUIRE=all)", pytrace=False)
    pytest.skip(reason)


def xray_folder(root: Path) -> Path | None:
    """The folder of real X-rays: RUNSTORE_TEST_DATA, else a sibling of the checkout; ``None`` where there is none."""
    named = os.environ.get("RUNSTORE_TEST_DATA")
    folder = Path(named) if named else root.parent / "shared" / "data" / "kermany"
    return folder if folder.is_dir() else None


def is_training_file(path: Path) -> bool:
    """Whether a test file says of itself that all of it needs torch: ``pytestmark = pytest.mark.training``."""
    return path.suffix == ".py" and _TRAINING_FILE.search(path.read_text(encoding="utf-8")) is not None


def summary(stats: dict[str, list[pytest.TestReport]], *, left_out: int) -> list[str]:
    """What ran against which server and what could not, one line each."""
    ran = Counter(
        value
        for outcome in ("passed", "failed", "xfailed")
        for report in stats.get(outcome, [])
        if report.when == "call"
        for name, value in report.user_properties
        if name == "needs"
    )
    not_run = Counter(
        report.longrepr[2].partition(NOT_RUN)[2]
        for report in stats.get("skipped", [])
        if isinstance(report.longrepr, tuple) and NOT_RUN in report.longrepr[2]
    )
    if left_out:
        not_run["training (whole files): torch is not installed"] += left_out
    return [
        "ran: " + (", ".join(f"{kind} {count}" for kind, count in sorted(ran.items())) or "none"),
        *[f"not run: {count} of {why}" for why, count in sorted(not_run.items())],
    ]
