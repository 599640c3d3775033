"""Fixtures that every test may ask for: a new, empty database of each kind, and the folder of real X-rays."""

import gc
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import uuid
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

# Before torch: the spinning threads of several workers would stand in each other's way.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from hypothesis import HealthCheck, settings
from hypothesis.internal.conjecture import providers

from support import lightning_signals, session
from support.engines import S3
from support.processes import ServerUnavailableError, fast_directory
from support.servers import private_kinds

_ROOT = Path(__file__).resolve().parent.parent
_left_out: list[Path] = []

# `dev` for pytest by hand, `ci` for `make test`: the same examples each time, so that a change is judged and not luck.
# `deep`, for `make test-deep`, draws others each time. No health check: on a busy machine each of them is a matter of time.
for name, examples in {"dev": 20, "ci": 50, "deep": 1000}.items():
    settings.register_profile(
        name,
        max_examples=examples,
        derandomize=name != "deep",
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )
_profile = os.environ.get("RUNSTORE_HYPOTHESIS_PROFILE", "dev")
settings.load_profile(_profile)
if _profile != "deep":
    # It draws constants out of the modules of ours that are loaded: those are others in each process of a run.
    providers.is_local_module_file = lambda _: False  # type: ignore[attr-defined, assignment]  # there is no setting


def pytest_configure(config: pytest.Config) -> None:
    session.own_state(config)
    # A shell that starts this in the background has Ctrl-C ignored, here and in every child; tests press it.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leaves out, and counts, the files that need torch where there is none: they could not even be imported."""
    if find_spec("torch") is None and collection_path.is_file() and session.is_training_file(collection_path):
        _left_out.append(collection_path)
        return True
    return None


def pytest_collection_finish() -> None:
    # A million objects of the collected tests live to the end; to look through them takes half a second each time.
    gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        if fixtures & session.SERVER_OF_FIXTURE.keys():
            item.add_marker("server")
        if "xray_data" in fixtures:
            item.add_marker("data")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    if item.get_closest_marker("data") and session.xray_folder(_ROOT) is None:
        session.missing("data: no folder of X-rays; name one in RUNSTORE_TEST_DATA", needed=False)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
    try:
        yield
    except ServerUnavailableError as error:
        session.missing_server(error)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Counts a test for each kind of server that it uses, its private ones included, and as not run without one."""
    before = len(private_kinds)
    try:
        yield
    except ServerUnavailableError as error:
        session.missing_server(error)
    finally:
        kinds = session.kinds_needed(item).union(private_kinds[before:])
        item.user_properties += [("needs", kind) for kind in sorted(kinds)]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown() -> Iterator[None]:
    yield
    lightning_signals.let_go()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    terminalreporter.section("servers, data and training")
    for line in session.summary(terminalreporter.stats, left_out=len(set(_left_out))):
        terminalreporter.write_line(line)


def _database(kind: str, request: pytest.FixtureRequest) -> Iterator[str]:
    server = session.server_or_skip(kind, request)
    url = server.new_database()
    try:
        yield url
    finally:
        server.drop_database(url)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own of four megabytes."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip("this user may not mount a file system")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def postgresql_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A new, empty PostgreSQL database: ``postgresql://…``."""
    yield from _database("postgresql", request)


@pytest.fixture
def mariadb_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A new, empty MariaDB database: ``mysql://…``."""
    yield from _database("mariadb", request)


@pytest.fixture
def mongodb_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A new, empty database of a standalone mongod, which has no transactions: ``mongodb://…``."""
    yield from _database("mongodb", request)


@pytest.fixture
def mongodb_replica_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A new, empty database of a replica set of one node: ``mongodb://…?replicaSet=rs0``."""
    yield from _database("mongodb-replica", request)


@pytest.fixture
def fast_path() -> Iterator[Path]:
    """A new, empty directory in memory where the machine has one: SQLite on a disk takes five times as long."""
    path = Path(tempfile.mkdtemp(prefix="test-", dir=os.environ.get("RUNSTORE_TEST_SERVERS_DIR", fast_directory())))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def sqlite_url(fast_path: Path) -> str:
    """The URL of a SQLite file that does not exist yet: ``sqlite:///…``."""
    return f"sqlite:///{fast_path / f'{uuid.uuid4().hex}.sqlite'}"


@pytest.fixture(scope="session")
def s3_server(request: pytest.FixtureRequest) -> S3:
    """A real S3 server; ``new_database()`` gives ``s3://<new bucket>``, ``storage_options`` is for fsspec."""
    server = session.server_or_skip("s3", request)
    assert isinstance(server, S3)
    return server


@pytest.fixture
def s3_url(s3_server: S3, request: pytest.FixtureRequest) -> Iterator[str]:
    """A new, empty bucket: ``s3://…``."""
    session.needs(request.node, "s3")
    url = s3_server.new_database()
    try:
        yield url
    finally:
        s3_server.drop_database(url)


@pytest.fixture(scope="session")
def xray_data() -> Path:
    """The folder of real chest X-rays (RSNA layout); its tests are counted as not run where it is absent."""
    folder = session.xray_folder(_ROOT)
    if folder is None:
        session.missing("data: no folder of X-rays; name one in RUNSTORE_TEST_DATA", needed=False)
    return folder
