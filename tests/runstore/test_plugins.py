"""Discovery: real entry points in a folder on the path, good, broken and in conflict."""

import re
import sys
import traceback
from importlib.metadata import EntryPoints, entry_points
from pathlib import Path

import pytest

from runstore import open_store
from runstore.errors import (
    BrokenPluginError,
    MissingDriverError,
    SchemeConflictError,
    SettingsError,
    UnknownSchemeError,
)
from runstore.plugins import registry
from runstore.plugins.registry import find_backends
from runstore.recording.places import identity_of

_GOOD = """
from runstore.hookspecs import Backend, hookimpl
from runstore.memory.store import MemoryStore

@hookimpl
def runstore_backends():
    return [Backend(name={name!r}, schemes=({scheme!r},), open=lambda url, options: MemoryStore(), modules={modules!r},
                    install="runstore[extra]")]
"""


@pytest.fixture
def plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on the path; every distribution written there is found."""
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("shelf", "drawer", "broken"):
        monkeypatch.delitem(sys.modules, f"{name}_plugin", raising=False)
    return tmp_path


def _install(folder: Path, name: str, source: str) -> None:
    module = f"{name}_plugin"
    (folder / f"{module}.py").write_text(source)
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[runstore]\n{name} = {module}\n")


def test_an_installed_plugin_is_found_by_its_scheme(plugins: Path) -> None:
    _install(plugins, "shelf", _GOOD.format(name="shelf", scheme="shelf", modules=()))

    with open_store("shelf://x", durable=False) as store:
        assert store.get_or_create_experiment("a")


def test_stores_are_opened_without_a_look_at_every_distribution_each_time(
    plugins: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[str] = []

    def look(*, group: str) -> EntryPoints:
        looks.append(group)
        return entry_points(group=group)

    monkeypatch.setattr(registry, "entry_points", look)
    open_store("memory://", durable=False).close()
    before = len(looks)

    for _ in range(3):
        open_store("memory://", durable=False).close()
    assert len(looks) == before

    _install(plugins, "shelf", _GOOD.format(name="shelf", scheme="shelf", modules=()))
    for _ in range(2):  # Python keeps the plugin's bytecode in its folder, which changes it
        open_store("shelf://x", durable=False).close()
    assert len(looks) > before
    settled = len(looks)
    for _ in range(3):
        open_store("shelf://x", durable=False).close()
    assert len(looks) == settled


def test_a_plugin_whose_files_come_after_its_folder_was_seen_is_found(plugins: Path) -> None:
    _install(plugins, "shelf", _GOOD.format(name="shelf", scheme="shelf", modules=()))
    entries = plugins / "shelf-1.0.dist-info" / "entry_points.txt"
    kept = entries.read_text()
    entries.unlink()
    with pytest.raises(UnknownSchemeError):
        open_store("shelf://x", durable=False)

    entries.write_text(kept)  # which changes the folder of the distribution, and not the one on the path

    open_store("shelf://x", durable=False).close()


def test_a_plugin_without_its_driver_is_listed_and_says_what_to_install(plugins: Path) -> None:
    _install(plugins, "shelf", _GOOD.format(name="shelf", scheme="shelf", modules=("no_such_module", "json")))

    listed = [found for found in find_backends().backends if found.backend.name == "shelf"]
    assert [(found.missing, found.needs) for found in listed] == [
        (("no_such_module",), 'pip install "runstore[extra]"')
    ]
    with pytest.raises(MissingDriverError, match=r'no_such_module.*pip install "runstore\[extra\]"'):
        open_store("shelf://x", durable=False)


@pytest.mark.parametrize(
    "source",
    [
        "raise SystemError('cannot load')",
        "from runstore.hookspecs import hookimpl\n@hookimpl\ndef runstore_backends():\n    raise ValueError('no')",
        "from runstore.hookspecs import hookimpl\n@hookimpl\ndef runstore_backend():\n    return []",
        "from runstore.hookspecs import hookimpl\n@hookimpl\ndef runstore_backends():\n    return ['x']",
        _GOOD.format(name="broken", scheme="broken", modules=(7,)),
        "x = 1",
    ],
)
def test_a_broken_plugin_is_reported_and_does_not_break_the_others(plugins: Path, source: str) -> None:
    _install(plugins, "broken", source)
    _install(plugins, "shelf", _GOOD.format(name="shelf", scheme="shelf", modules=()))

    catalog = find_backends()

    assert list(catalog.broken) == ["broken (broken 1.0)"]
    assert catalog.backend_for("shelf").name == "shelf"
    with pytest.raises(UnknownSchemeError, match=r"known: memory.*broken \(broken 1\.0\) failed to load"):
        catalog.backend_for("nowhere")


def test_two_plugins_that_claim_one_scheme_are_an_error_that_names_both(plugins: Path) -> None:
    for name in ("shelf", "drawer"):
        _install(plugins, name, _GOOD.format(name=name, scheme="wood", modules=()))

    with pytest.raises(SchemeConflictError, match=r"'drawer' of drawer \(drawer 1\.0\) and 'shelf' of shelf"):
        open_store("wood://x", durable=False)


@pytest.mark.parametrize(
    ("scheme", "meant"),
    [
        ("postgressql", "postgresql"),
        ("postgre", "postgresql"),
        ("psql", "postgresql"),
        ("sqlite3", "sqlite"),
        ("sqllite", "sqlite"),
        ("mysqll", "mysql"),
        ("mariaDB10".lower(), "mariadb"),
        ("mongo", "mongodb"),
        ("mongodb-srv", "mongodb+srv"),
    ],
)
def test_a_scheme_that_is_nearly_right_is_told_what_was_meant(scheme: str, meant: str) -> None:
    with pytest.raises(UnknownSchemeError, match=rf"did you mean {re.escape(meant)}://\? known: memory"):
        find_backends().backend_for(scheme)


def test_a_scheme_like_none_that_is_known_gets_no_guess() -> None:
    with pytest.raises(UnknownSchemeError, match="for scheme 'ftp'; known: memory"):
        find_backends().backend_for("ftp")


def test_listing_the_backends_imports_no_driver() -> None:
    code = (
        "import sys; from runstore.plugins.registry import find_backends; "
        "names = {found.backend.name for found in find_backends().backends}; "
        "assert {'memory', 'sqlite', 'postgresql', 'mysql', 'mongodb'} <= names, names; "
        "assert not {'sqlalchemy', 'pymongo', 'torch', 'psycopg'} & set(sys.modules)"
    )
    import subprocess  # noqa: PLC0415 - this test alone

    subprocess.run([sys.executable, "-c", code], check=True)


def test_memory_has_no_place_and_nothing_to_read() -> None:
    with pytest.raises(SettingsError, match="memory has none"):
        open_store("memory://somewhere", durable=False)


_NO_STORE = """
from runstore.hookspecs import Backend, hookimpl

@hookimpl
def runstore_backends():
    return [Backend(name="shelf", schemes=("shelf",), open=lambda url, options: object())]
"""


@pytest.mark.parametrize("durable", [True, False])
def test_a_plugin_that_opens_something_else_than_a_store_is_broken(plugins: Path, durable: bool) -> None:  # noqa: FBT001 - a parameter of the test
    _install(plugins, "shelf", _NO_STORE)

    with pytest.raises(BrokenPluginError, match=r"type object; a store derives from runstore\.backend\.BackendStore"):
        open_store("shelf://x", durable=durable)


_FAILS = """
from runstore.hookspecs import Backend, hookimpl

def deep_in_the_plugin():
    raise ValueError("no shelf")

@hookimpl
def runstore_backends():
    return [Backend(name="shelf", schemes=("shelf",), open=lambda url, options: deep_in_the_plugin())]
"""


def test_a_plugin_that_fails_to_open_shows_its_author_where(plugins: Path) -> None:
    _install(plugins, "shelf", _FAILS)

    with pytest.raises(BrokenPluginError, match="ValueError: no shelf") as caught:
        open_store("shelf://x", durable=False)

    assert "in deep_in_the_plugin" in "".join(traceback.format_exception(caught.value))


_NOTES_ITS_URL = """
from runstore.hookspecs import Backend, hookimpl
from runstore.memory.store import MemoryStore

opened = []

def _open(url, options):
    opened.append(url)
    return MemoryStore()

@hookimpl
def runstore_backends():
    return [Backend(name="shelf", schemes=("shelf",), open=_open)]
"""


def test_a_plugins_file_is_that_of_the_folder_in_which_it_was_opened(
    plugins: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _install(plugins, "shelf", _NOTES_ITS_URL)
    identities = []

    for folder in (tmp_path / "one", tmp_path / "two"):
        folder.mkdir()
        monkeypatch.chdir(folder)
        open_store("shelf:///runs.shelf?size=3", durable=False).close()
        identities.append(identity_of("shelf:///runs.shelf?size=3"))

    assert sys.modules["shelf_plugin"].opened == [
        f"shelf:///{tmp_path / folder / 'runs.shelf'}?size=3" for folder in ("one", "two")
    ]
    assert identities[0] != identities[1]
