"""Files of views over each database: the same bytes."""

from pathlib import Path

import pytest

from runstore import open_reader
from runstore_ui.saving import saved_view
from support.saved_stores import fill_whole

pytestmark = pytest.mark.server


def files(url: str, folder: Path) -> list[str]:
    fill_whole(url, folder)
    with open_reader(url) as reader:
        return [saved_view(reader, runs) for runs in (["whole"], ["whole", "other"], [])]


@pytest.mark.parametrize("server", ["postgresql_url", "mariadb_url", "mongodb_url"])
def test_the_same_runs_give_the_same_files_on_each_server(
    server: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url = request.getfixturevalue(server)

    assert files(url, tmp_path) == files(f"sqlite:///{tmp_path / 'here.db'}", tmp_path)
