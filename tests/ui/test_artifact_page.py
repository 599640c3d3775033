"""A file of a run: its preview, and its bytes."""

import contextlib
import hashlib
import os
import re
import socket
import struct
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from runstore import media, open_reader, open_store
from runstore_ui import Options, make_app
from runstore_ui.artifact import Part, chunks_of, part_of
from support.asgi import Answer, ask
from support.browser import Serve
from support.page_stores import HOSTILE
from support.waiting import wait_until

MARKUP = "<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'><script>alert(1)</script></svg>"
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c49444154789c63606060000000040001f61738550000000049454e44ae426082"
)
CARD = """# A card

* first
* [there](https://example.org/a)

| score | n |
|---|--:|
| 0.98 \\| 1 | 3 |

##### Far below

# Next
"""
HOSTILE_CARD = """<script>alert(1)</script> <img src=x onerror=alert(1)>

![of the web](https://example.org/x.png) [a](javascript:alert(1)) [b](JAVASCRIPT:alert(1)) [c](data:text/html,x)
[d](sure?do=delete) [e](//example.org) [f](file:///etc/passwd) <javascript:alert(1)> [g]

[g]: vbscript:x
"""
FILES = {
    "notes/a.txt": "first\nsecond ä".encode(),
    "card.md": CARD.encode(),
    "hostile.md": HOSTILE_CARD.encode(),
    "page.html": MARKUP.encode(),
    "drawing.svg": MARKUP.encode(),
    "result.json": b'{"auroc": 0.9, "of": [1, 2]}',
    "table.csv": b"name,score\n" + b"\n".join(b"case%d,0.%d" % (n, n) for n in range(300)),
    "lines.csv": b'name,said\r\none,"first\r\nsecond"\r\n',
    "wide.csv": b"a,b\n" + b"x" * 40_000 + b",1\n" + b"y" * 40_000 + b",2\n",
    "picture.png": PNG,
    "weights.bin": bytes(range(256)) * 40,
    "long.log": b"epoch\n" * 40_000,
    f"{HOSTILE.replace('/', '')}.txt": b"harmless",
}


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("artifacts")
    url = f"sqlite:///{folder / 'runs.db'}"
    with open_store(url, durable=False) as store:
        run = store.ensure_run(store.get_or_create_experiment("e"), run_id="r")
        for name, content in FILES.items():
            (folder / "file").write_bytes(content)
            store.log_artifact(run, folder / "file", name=name)
        store.log_artifact(run, folder / "elsewhere.ckpt", name="elsewhere.ckpt", copy=False)
        for step in (5, 10, 20):
            media.text("caption", f"at {step}", step=step).keep(store, run)
    with open_reader(url) as reader:
        yield make_app(reader, Options(shown_url=url))


def page_of(app: Any, name: str) -> str:
    return ask(app, f"/artifact?id=r&name={quote(name)}").text


def file_of(app: Any, name: str, **headers: str) -> Answer:
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    return ask(app, f"/file?id=r&name={quote(name)}", headers=named)


def test_a_text_is_shown_and_of_a_long_one_the_beginning(shelf: Any) -> None:
    assert "first\nsecond ä" in page_of(shelf, "notes/a.txt")
    assert "This is the beginning of 240.0 kB." in page_of(shelf, "long.log")
    assert "This is no text" in page_of(shelf, "weights.bin")


def test_json_is_indented_and_a_table_is_a_table(shelf: Any) -> None:
    assert "{\n  &#34;auroc&#34;: 0.9" in page_of(shelf, "result.json")
    table = page_of(shelf, "table.csv")
    assert table.count("<tr>") == 201
    assert "<td>case199</td>" in table
    assert "rows shown: 200." in table
    assert "<td>first\r\nsecond</td>" in page_of(shelf, "lines.csv")
    assert "rows shown: 1." in page_of(shelf, "wide.csv")


@pytest.mark.parametrize("name", ["page.html", "drawing.svg"])
def test_markup_is_shown_as_text_and_sent_as_a_file_of_no_kind(shelf: Any, name: str) -> None:
    text, sent = page_of(shelf, name), file_of(shelf, name)

    assert "&lt;script&gt;alert(1)" in text
    assert "<script>alert" not in text
    assert "<img" not in text
    assert sent.headers["content-type"] == "application/octet-stream"
    assert sent.headers["content-disposition"].startswith("attachment")
    assert sent.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert sent.body == FILES[name]


def test_markdown_is_a_page_below_the_heading_of_the_file(shelf: Any) -> None:
    text = page_of(shelf, "card.md")

    assert text.count("<h1") == 1
    assert re.findall(r"<(h[2-6])>(.*)</h", text) == [("h2", "A card"), ("h3", "Far below"), ("h2", "Next")]
    assert "<li>first</li>" in text
    assert "<td>0.98 | 1</td>" in text
    assert '<td class="number">3</td>' in text
    assert '<a href="https://example.org/a" rel="noreferrer noopener nofollow">there</a>' in text


def test_markdown_brings_no_markup_no_pictures_and_no_links_but_to_the_web(shelf: Any) -> None:
    text = page_of(shelf, "hostile.md").partition("<article")[2].partition("</article>")[0]

    assert set(re.findall(r"<(\w+)", text)) == {"p", "a"}
    assert re.findall(r'href="([^"]*)"', text) == ["https://example.org/x.png"]
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "style=" not in text


def test_markdown_without_its_reader_is_a_text(shelf: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runstore_ui.artifact.preview.can_read_markdown", lambda: False)

    assert "# A card\n" in page_of(shelf, "card.md")


def test_each_file_comes_whole_and_under_its_own_name(shelf: Any) -> None:
    for name, content in FILES.items():
        sent = file_of(shelf, name)
        assert (sent.status, sent.body) == (200, content)
        assert sent.headers["etag"] == f'"{hashlib.sha256(content).hexdigest()}"'
        assert sent.headers["content-disposition"].endswith(quote(name.rpartition("/")[2], safe=""))
    assert file_of(shelf, "picture.png").headers["content-type"] == "image/png"


@pytest.mark.parametrize(
    ("asked", "status", "start", "end"),
    [
        ("bytes=0-9", 206, 0, 10),
        ("bytes=10000-", 206, 10_000, 10_240),
        ("bytes=-5", 206, 10_235, 10_240),
        ("bytes=5-99999999", 206, 5, 10_240),
        ("bytes=0-1,4-5", 200, 0, 10_240),
        ("bytes=9-5", 200, 0, 10_240),
        ("lines=1-2", 200, 0, 10_240),
    ],
)
def test_a_part_is_sent_where_a_part_is_asked_for(shelf: Any, asked: str, status: int, start: int, end: int) -> None:
    sent = file_of(shelf, "weights.bin", range=asked)

    assert (sent.status, sent.body) == (status, FILES["weights.bin"][start:end])
    assert sent.headers["content-length"] == str(end - start)
    if status == 206:
        assert sent.headers["content-range"] == f"bytes {start}-{end - 1}/10240"


def test_a_part_behind_the_end_is_refused_and_one_of_another_file_is_not_mixed_in(shelf: Any) -> None:
    behind = file_of(shelf, "weights.bin", range="bytes=10240-")
    changed = file_of(shelf, "weights.bin", range="bytes=0-9", if_range='"of-yesterday"')
    known = file_of(shelf, "weights.bin", if_none_match=changed.headers["etag"])

    assert (behind.status, behind.headers["content-range"]) == (416, "bytes */10240")
    assert (changed.status, len(changed.body)) == (200, 10_240)
    assert (known.status, known.body) == (304, b"")


@pytest.mark.parametrize("name", ["../runs.db", "/etc/passwd", "notes", "nothing.txt", "notes/../page.html"])
def test_what_is_no_name_of_an_artifact_leads_nowhere(shelf: Any, name: str) -> None:
    assert file_of(shelf, name).status == 404
    assert ask(shelf, f"/artifact?id=r&name={quote(name)}").status == 404
    assert ask(shelf, "/file?id=r").status == 400


def test_a_file_whose_bytes_are_elsewhere_says_where(shelf: Any) -> None:
    text = page_of(shelf, "elsewhere.ckpt")

    assert "The store keeps where this file lies" in text
    assert "elsewhere.ckpt</code>" in text
    assert file_of(shelf, "elsewhere.ckpt").status == 404


SIZES = {
    "large.png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", 30_000, 20_000),
    "large.gif": b"GIF89a" + struct.pack("<HH", 30_000, 20_000),
    "large.webp": b"RIFF\0\0\0\0WEBPVP8X" + bytes(8) + (29_999).to_bytes(3, "little") + (19_999).to_bytes(3, "little"),
    "large.jpg": b"\xff\xd8\xff\xe0\0\4ab\xff\xc2\0\x11\x08" + struct.pack(">HH", 20_000, 30_000),
}


def test_a_picture_that_would_stop_the_browser_is_not_shown_and_can_be_downloaded(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'runs.db'}"
    with open_store(url, durable=False) as store:
        run = store.ensure_run(store.get_or_create_experiment("e"), run_id="r")
        for name, start in SIZES.items():
            (tmp_path / "file").write_bytes(start + bytes(20))
            store.log_artifact(run, tmp_path / "file", name=name)
        (tmp_path / "file").write_bytes(b"\xff\xd8\xff\xe0")
        store.log_artifact(run, tmp_path / "file", name="half.jpg")
    with open_reader(url) as reader:
        app = make_app(reader, Options(shown_url=url))
        for name, start in SIZES.items():
            assert "Of 30,000 × 20,000 pixels nothing is shown" in page_of(app, name)
            assert ask(app, f"/file?id=r&name={name}&shown=yes").status == 413
            assert file_of(app, name).body == start + bytes(20)
        assert ask(app, "/file?id=r&name=half.jpg&shown=yes").status == 200
        assert 'src="file?id=r&amp;name=large.png&amp;shown=yes"' in ask(app, "/run?id=r").text


def test_what_was_kept_over_steps_is_gone_through_step_by_step(shelf: Any) -> None:
    text = page_of(shelf, "caption/000000010.txt")

    assert "at 10" in text
    assert 'rel="prev" href="artifact?id=r&amp;name=caption/000000005.txt"' in text
    assert 'rel="next" href="artifact?id=r&amp;name=caption/000000020.txt"' in text


def test_bytes_of_any_file_take_as_much_memory_as_one_piece(tmp_path: Path) -> None:
    large = tmp_path / "large"
    large.touch()
    os.truncate(large, 1 << 31)  # a hole of 2 GiB
    tracemalloc.start()
    with large.open("rb") as file:
        sent = sum(len(piece) for piece in chunks_of(file, Part(start=(1 << 31) - (64 << 20), end=1 << 31)))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert sent == 64 << 20
    assert most < 4 << 20
    assert part_of("bytes=-0", 10) == Part(start=10, end=10)


def test_a_file_is_closed_where_a_browser_leaves_in_the_middle_of_it(serve: Serve, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'runs.db'}"
    large = tmp_path / "large.bin"
    large.touch()
    os.truncate(large, 64 << 20)
    with open_store(url, durable=False) as store:
        run = store.ensure_run(store.get_or_create_experiment("e"), run_id="r")
        store.log_artifact(run, large)

    with open_reader(url) as reader:
        address = urlsplit(serve(make_app(reader, Options(shown_url=url))))
        for _ in range(5):
            with socket.create_connection((address.hostname, address.port)) as browser:
                browser.sendall(b"GET /file?id=r&name=large.bin HTTP/1.1\r\nHost: localhost\r\n\r\n")
                assert browser.recv(1000).startswith(b"HTTP/1.1 200")
        wait_until(lambda: open_files_below(tmp_path / "runs.db.artifacts") == [], "the files to be closed")


def open_files_below(folder: Path) -> list[str]:
    """The files that this process has open there."""
    found = []
    for each in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # it was the one that listed them
            found.append(str(each.readlink()))
    return [each for each in found if each.startswith(f"{folder}{os.sep}")]


@pytest.mark.server
def test_pictures_are_seen_and_markup_does_nothing_in_the_browser(page: Any, serve: Serve, shelf: Any) -> None:
    address = serve(shelf)
    page.goto(f"{address}/artifact?id=r&name=picture.png")
    assert page.evaluate("document.querySelector('.picture img').naturalWidth") == 1
    page.goto(f"{address}/artifact?id=r&name=drawing.svg")
    assert "onload" in page.inner_text("pre.text")
    page.goto(f"{address}/artifact?id=r&name=caption/000000005.txt")
    page.fill("#steps", "2")
    page.dispatch_event("#steps", "change")
    page.wait_for_url("**name=caption%2F000000020.txt")
    with page.expect_download() as download:
        page.click("text=Download")
    assert download.value.suggested_filename == "000000020.txt"
