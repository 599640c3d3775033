"""Where the URL comes from, and that its secrets stay hidden."""

import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from runstore import open_reader, open_store
from runstore.errors import RunStoreError, SettingsError
from runstore.settings import Settings, load_settings
from runstore.urls import scheme_of


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project folder as working directory, with nothing set."""
    monkeypatch.delenv("RUNSTORE_URL", raising=False)
    monkeypatch.delenv("RUNSTORE_ARTIFACTS", raising=False)
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_url_comes_from_the_argument_then_the_environment_then_the_files(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "pyproject.toml").write_text('[tool.runstore]\nurl = "sqlite:///from-pyproject.db"\n')
    assert load_settings().url == "sqlite:///from-pyproject.db"

    (project / "runstore.toml").write_text('url = "sqlite:///from-toml.db"\n')
    assert load_settings().url == "sqlite:///from-toml.db"

    monkeypatch.setenv("RUNSTORE_URL", "sqlite:///from-environment.db")
    assert load_settings().url == "sqlite:///from-environment.db"

    assert load_settings(url="sqlite:///from-argument.db").url == "sqlite:///from-argument.db"


def test_the_files_are_looked_for_up_to_the_root_of_the_checkout(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "runstore.toml").write_text('url = "memory://"\nartifacts = "s3://bucket/x"\n')
    inner = project / "a" / "b"
    inner.mkdir(parents=True)
    monkeypatch.chdir(inner)

    assert load_settings() == load_settings(url="memory://", artifacts="s3://bucket/x")


def test_a_pyproject_without_our_section_is_none_of_our_business(project: Path) -> None:
    (project / "pyproject.toml").write_text('[project]\nname = "x"\n')

    assert load_settings().url is None


def test_the_console_is_on_unless_a_variable_or_a_file_says_otherwise(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load_settings().console
    (project / "runstore.toml").write_text("console = false")
    assert not load_settings().console
    monkeypatch.setenv("RUNSTORE_CONSOLE", " ON ")
    assert load_settings().console
    monkeypatch.setenv("RUNSTORE_CONSOLE", "perhaps")
    with pytest.raises(SettingsError, match="give on or off"):
        load_settings()


@pytest.mark.parametrize("text", ["url = ", 'urll = "x"', "url = 5"])
def test_a_bad_settings_file_is_an_error_that_names_it(project: Path, text: str) -> None:
    (project / "runstore.toml").write_text(text)

    with pytest.raises(SettingsError, match=r"runstore\.toml"):
        open_store()


def test_a_section_with_an_unknown_key_is_an_error_that_names_both(project: Path) -> None:
    (project / "pyproject.toml").write_text('[tool.other]\nx = 1\n\n[tool.runstore]\nurll = "memory://"\n')

    with pytest.raises(SettingsError, match=r"pyproject\.toml.*urll"):
        load_settings()


@pytest.mark.parametrize("empty", ["", " ", "\n", "\ufeff"])
def test_a_place_where_a_setting_is_empty_does_not_have_it(
    project: Path, monkeypatch: pytest.MonkeyPatch, empty: str
) -> None:
    monkeypatch.setenv("RUNSTORE_URL", empty)
    monkeypatch.setenv("RUNSTORE_ARTIFACTS", empty)
    (project / "runstore.toml").write_text(f"url = {empty!r}\nartifacts = {empty!r}\n".replace("'", '"'))
    (project / "pyproject.toml").write_text('[tool.runstore]\nurl = "sqlite:///runs.db"\nartifacts = "kept"\n')

    found = load_settings(url=empty, artifacts=empty)

    assert (found.url, found.artifacts) == ("sqlite:///runs.db", "kept")


@pytest.mark.usefixtures("project")
def test_settings_that_are_empty_everywhere_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNSTORE_URL", "")
    monkeypatch.setenv("RUNSTORE_ARTIFACTS", "")

    assert load_settings() == Settings()
    with pytest.raises(SettingsError, match="no store was named"):
        open_store()


@pytest.mark.usefixtures("project")
def test_blanks_and_line_breaks_around_a_setting_are_no_part_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNSTORE_URL", "sqlite:///runs.db\r\n")
    monkeypatch.setenv("RUNSTORE_ARTIFACTS", " kept ")

    assert load_settings() == Settings(url="sqlite:///runs.db", artifacts="kept")
    assert load_settings(url="\tmemory://\n").url == "memory://"
    assert load_settings(url="\ufeffmemory://\r\n").url == "memory://"


def test_a_settings_file_may_begin_with_a_byte_order_mark(project: Path) -> None:
    (project / "runstore.toml").write_text('url = "memory://"\n', encoding="utf-8-sig")

    assert load_settings().url == "memory://"


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("given", [{"url": Path("runs.db")}, {"artifacts": Path("kept")}, {"url": b"memory://"}])
def test_a_setting_that_is_no_text_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match="give a text"):
        open_store(**given)


@pytest.mark.usefixtures("project")
def test_threads_may_read_the_settings_at_once() -> None:
    with ThreadPoolExecutor(16) as threads:
        found = list(threads.map(lambda _: load_settings(url="memory://").url, range(200)))

    assert found == ["memory://"] * 200


@pytest.mark.usefixtures("project")
def test_no_url_at_all_is_an_error_that_names_every_place() -> None:
    with pytest.raises(SettingsError, match=r"RUNSTORE_URL.*runstore\.toml.*pyproject\.toml"):
        open_reader()


@pytest.mark.parametrize(
    ("url", "scheme"),
    [
        ("postgresql+psycopg://h/d", "postgresql"),
        ("MONGODB+SRV://h/d", "mongodb+srv"),
        ("sqlite:///x", "sqlite"),
        ("memory://", "memory"),
    ],
)
def test_the_scheme_names_the_database(url: str, scheme: str) -> None:
    assert scheme_of(url) == scheme


@pytest.mark.parametrize("text", ["runs.db", "C:/runs.db", "", "://x"])
def test_what_is_no_url_is_told_what_one_looks_like(text: str) -> None:
    with pytest.raises(SettingsError, match=r"sqlite:///runs\.db"):
        scheme_of(text)


@pytest.mark.parametrize("url", ["nowhere://me:s3cret@host/db", "me:s3cret@host/db"])
def test_an_error_about_a_url_shows_no_secret(url: str) -> None:
    with pytest.raises(RunStoreError) as caught:
        open_store(url, durable=False)

    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("place", ["nowhere://bucket", "simplecache::nowhere://bucket"])
def test_a_place_for_artifacts_that_nothing_here_can_reach_is_refused_at_once(sqlite_url: str, place: str) -> None:
    with pytest.raises(SettingsError, match=r"nowhere.*RUNSTORE_ARTIFACTS"):
        open_store(sqlite_url, artifacts=place)


@pytest.mark.parametrize("path", ["runs.db", "/data/runs.db"])
def test_a_path_is_refused_with_the_url_that_it_stands_for(path: str) -> None:
    with pytest.raises(SettingsError, match=f"url is a PosixPath; give a text: 'sqlite:///{path}'"):
        open_store(Path(path))  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.parametrize(
    "fixture",
    [
        "sqlite_url",
        *(pytest.param(url, marks=pytest.mark.server) for url in ("postgresql_url", "mariadb_url", "mongodb_url")),
    ],
)
def test_a_scheme_may_be_written_in_any_case(fixture: str, request: pytest.FixtureRequest) -> None:
    scheme, _, rest = request.getfixturevalue(fixture).partition("://")
    driver = {"postgresql": "+psycopg", "mysql": "+PyMySQL"}.get(scheme, "")
    url = f"{scheme.capitalize()}{driver}://{rest}"

    for durable in (False, True):
        with open_store(url, durable=durable) as store:
            run_id = store.ensure_run(store.get_or_create_experiment("x"))
            store.finalize(run_id, "completed")
        with open_reader(f"{scheme.upper()}://{rest}") as reader:
            assert reader.get_run(run_id).status == "completed"


def test_an_error_that_the_caller_handles_keeps_its_lines_when_the_store_cannot_be_opened(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise ValueError("the training's own")

    def open_meanwhile() -> None:
        try:
            fail()
        except ValueError:
            open_store("sqlite:///runs.db")

    (project / "file").write_text("no folder")
    monkeypatch.setenv("RUNSTORE_STATE_DIR", str(project / "file"))
    with pytest.raises(SettingsError, match="the journal cannot be written") as caught:
        open_meanwhile()

    handled = caught.value.__context__
    while handled is not None and not isinstance(handled, ValueError):
        handled = handled.__context__
    assert "in fail" in "".join(traceback.format_exception(handled))
