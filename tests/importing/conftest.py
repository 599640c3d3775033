"""Runs that MLflow itself has made, once for all tests: release 1, 2 and 3, in folders and in databases."""

import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import pytest

from runstore.backend import BackendStore
from runstore.opening import open_store
from support.processes import fast_directory
from support.tools import made_by, tool

RELEASES = {
    "1": ("mlflow-skinny==1.30.1", "sqlalchemy<2", "alembic<2", "setuptools<81", "sqlparse"),
    "2": ("mlflow-skinny==2.9.2", "sqlalchemy<2.1", "alembic", "setuptools<81", "sqlparse"),
    "3": ("mlflow-skinny==3.17.2", "sqlalchemy", "alembic", "psycopg2-binary", "pymysql"),
}


_MADE_BY_TOOLS = frozenset({"made", "newest", "offline", "offline_of_each"})


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of what other tools have made are marked like those that install the package, which they do with the tools."""
    for item in items:
        if item.path.parent == Path(__file__).parent and _MADE_BY_TOOLS & set(getattr(item, "fixturenames", ())):
            item.add_marker("packaging")


def mlflow(release: str) -> Path:
    """The interpreter of an environment with this release of MLflow."""
    return tool(f"mlflow-{release}", *RELEASES[release], is_old=release != "3")


class Made(NamedTuple):
    """What MLflow has made.

    Attributes:
        place: the folder or the file.
        release: of MLflow.
        uri: by which it finds them from their folder.
        told: its runs, as its client reads them.
    """

    place: Path
    release: str
    uri: str
    told: dict[str, Any]

    def run(self, name: str) -> tuple[str, dict[str, Any]]:
        """The id and the facts of the run of a name."""
        return next((each, facts) for each, facts in self.told.items() if facts["tags"].get("mlflow.runName") == name)


@pytest.fixture(scope="session")
def fast_folder() -> Iterator[Path]:
    """A folder in memory: the databases of some releases wait for the disk at each of sixty steps."""
    with TemporaryDirectory(dir=fast_directory(), prefix="runstore-made-") as folder:
        yield Path(folder)


@pytest.fixture(scope="session", params=["1-mlruns", "1-database", "2-mlruns", "3-database", "3-mlruns"])
def made(request: pytest.FixtureRequest, fast_folder: Path) -> Made:
    """The runs of one release, as a folder or as a database of SQLite; not to be changed."""
    release, _, kind = request.param.partition("-")
    folder = fast_folder / request.param
    folder.mkdir()
    uri, name = {"mlruns": ("./mlruns", "mlruns"), "database": ("sqlite:///mlflow.db", "mlflow.db")}[kind]
    told = made_by(mlflow(release), "mlflow_runs.py", uri, folder=folder)
    return Made(folder / name, release, uri, json.loads(told))


@pytest.fixture(scope="session")
def newest(fast_folder: Path) -> Made:
    """A folder of the newest release; not to be changed."""
    folder = fast_folder / "newest"
    folder.mkdir()
    told = made_by(mlflow("3"), "mlflow_runs.py", "./mlruns", folder=folder)
    return Made(folder / "mlruns", "3", "./mlruns", json.loads(told))


@pytest.fixture
def store() -> Iterator[BackendStore]:
    with open_store("memory://", durable=False) as store:
        assert isinstance(store, BackendStore)
        yield store


class MadeByWandb(NamedTuple):
    """What W&B has made offline.

    Attributes:
        folder: in which it was run.
        told: what was logged, by the run's name.
    """

    folder: Path
    told: dict[str, Any]

    @property
    def place(self) -> Path:
        """The folder ``wandb``."""
        return self.folder / "wandb"


WANDB = {"0.13": ("wandb==0.13.11", "setuptools<81"), "0.31": ("wandb==0.31.0",)}


def made_by_wandb(release: str, folder: Path) -> MadeByWandb:
    folder.mkdir()
    told = json.loads(
        made_by(tool(f"wandb-{release}", *WANDB[release], is_old=release == "0.13"), "wandb_runs.py", folder=folder)
    )
    return MadeByWandb(folder, {each["name"]: each for each in told})


@pytest.fixture(scope="session")
def offline(fast_folder: Path) -> MadeByWandb:
    """Runs of the newest release; not to be changed."""
    return made_by_wandb("0.31", fast_folder / "offline")


@pytest.fixture(scope="session", params=sorted(WANDB))
def offline_of_each(request: pytest.FixtureRequest, fast_folder: Path) -> MadeByWandb:
    """Runs of each release; not to be changed."""
    if request.param == "0.31":
        newest: MadeByWandb = request.getfixturevalue("offline")
        return newest
    return made_by_wandb(request.param, fast_folder / f"offline-{request.param}")
