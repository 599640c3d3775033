"""The reference pages list every public name, and read as text and links."""

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import runstore
import runstore.backend
from documentation.pages import ROOT

_ELSEWHERE = {
    "Frame",
    "Health",
    "RecorderOptions",
    "RunSession",
    "RunStoreCallback",
    "RunStoreLogger",
    "fetch_checkpoint",
    "stored_health",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site."""
    if find_spec("mkdocs") is None:
        pytest.skip("mkdocs is not installed")
    built = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(built)]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return built


def page(site: Path, name: str) -> str:
    return (site / name / "index.html").read_text(encoding="utf-8")


def headings(site: Path, name: str) -> set[str]:
    return {each.rpartition(".")[2] for each in re.findall(r'<h\d id="runstore\.([\w.]+)"', page(site, name))}


def test_each_public_name_has_its_heading(site: Path) -> None:
    named = headings(site, "reference") | headings(site, "reference-backends")

    assert {*runstore.__all__, *_ELSEWHERE} - named == set()


def test_each_name_and_operation_that_a_backend_needs_has_its_heading(site: Path) -> None:
    wanted = {*runstore.backend.__all__, *runstore.backend.BackendStore.__abstractmethods__} - {"Store"}  # the users'

    assert wanted - headings(site, "reference-backends") == set()


@pytest.mark.parametrize("name", ["reference", "reference-backends"])
def test_no_role_is_left_as_it_is_written_in_a_docstring(site: Path, name: str) -> None:
    assert re.findall(r":\w+:<code>[^<]*</code>", page(site, name)) == []


def test_a_role_leads_to_its_heading(site: Path) -> None:
    assert '<a href="#runstore.model.DatasetType"><code>DatasetType</code></a>' in page(site, "reference")


@pytest.mark.parametrize("name", ["changelog", "contributing", "security"])
def test_the_files_beside_the_documentation_are_pages_of_the_site(site: Path, name: str) -> None:
    assert "<h1" in page(site, name)


def test_each_page_of_the_folder_is_in_the_navigation_and_on_the_first_page() -> None:
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:\n")[2]
    first = (ROOT / "docs/index.md").read_text(encoding="utf-8")
    names = {path.name for path in (ROOT / "docs").glob("*.md")} - {"index.md"}

    assert names - set(re.findall(r"^ +- ([\w-]+\.md)$", navigation, re.MULTILINE)) == set()
    assert names - set(re.findall(r"\]\(([\w-]+\.md)\)", first)) == set()


def test_the_site_asks_nothing_of_any_other_origin(site: Path) -> None:
    asked = []
    for path in [*site.rglob("*.html"), *site.rglob("*.css"), *site.rglob("*.svg")]:
        text = path.read_text(encoding="utf-8")
        tags = [tag for tag in re.findall(r"<(?!a\b)\w+\s[^>]*>", text) if 'rel="canonical"' not in tag]
        found = re.findall(r"""(?:src|href|srcset|data|action)=["']?((?:https?:)?//[^"'\s>]+)""", " ".join(tags))
        found += re.findall(r"""(?:url\(|@import\s)\s*["']?((?:https?:)?//[^"')\s]+)""", text)
        asked += [f"{path.relative_to(site)}: {each}" for each in found]

    assert asked == []


def test_no_page_has_what_the_theme_fetches_a_library_for(site: Path) -> None:
    pages = {path: path.read_text(encoding="utf-8") for path in site.rglob("*.html")}

    assert len(pages) > 50
    assert [
        path for path, text in pages.items() if re.search(r'class="(?:mermaid|giscus)|data-md-component="source"', text)
    ] == []
