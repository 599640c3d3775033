"""The commands in the shell blocks of pages, done on a store that has what they speak of."""

import re
import shlex
from pathlib import Path
from typing import NamedTuple

import runstore
from documentation.pages import Block, blocks_of
from runstore.recording import Recorder
from support.commands import runstore_here
from support.dying import die

SHELLS = ("sh", "bash", "console")
STORE = "sqlite:///runs.db"
_AWAY = {f"sqlite:///{name}.db": f"postgresql://me@127.0.0.1:1/{name}" for name in ("old", "gone")}
"""Stores of which the pages say that they are away, and what cannot be reached here."""
_METRICS = ("loss", "auroc", "dice", "wer")
_PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b550"
    "000000a49444154789c636800000082008177cd72b60000000049454e44ae426082"
)
"""A grey dot."""
_SERVER = re.compile(r"\b(?:postgresql|mysql|mariadb|mongodb)://[^\s\"']*?/?(\w+)(?:\?[^\s\"']*)?(?=[\s\"']|$)")


class Line(NamedTuple):
    """One command of a page: the program, and the words behind it."""

    page: str
    words: list[str]

    @property
    def shown(self) -> str:
        return shlex.join(self.words)


def lines_of(page: str) -> list[Line]:
    """The commands in the shell blocks of a page."""
    return [line for block in blocks_of(page, *SHELLS) for line in lines_in(page, block)]


def lines_in(page: str, block: Block) -> list[Line]:
    """The commands in a block. Of one of ``console`` what stands behind the prompts."""
    found = []
    for written in block.text.replace("\\\n", " ").splitlines():
        if block.language == "console" and not written.startswith("$ "):
            continue  # what the command prints
        words = shlex.split(written.removeprefix("$ "), comments=True)
        if words:
            found.append(Line(page, words))
    return found


def make_store() -> None:
    """Runs as the pages name them, in the working directory: four that are there, one of them failed, and one deleted. And an empty store."""
    overlay = Path("overlay.png")
    overlay.write_bytes(_PNG)
    ids = [
        "0197f3c2-5d41-7a9c-8c11-7f4b2c9d1e05",
        *(f"0197f3d{number}-0000-7000-8000-000000000000" for number in range(4)),
    ]
    for number, run_id in enumerate(ids):
        with runstore.start_run(
            "ct-seg",
            run_id=run_id,
            store=STORE,
            name=f"fold {number}",
            tags={"owner": "me", "sweep": "lr", "stage": "draft" if number == 1 else "final"},
            config={"lr": 0.1 / (number + 1), "model": {"depth": 18}},
            console=False,
            packages=False,
            git_changes=False,
        ) as run:
            for step in range(0, 1100, 10):
                value = number / 10 + step / 2000
                run.log({f"{part}/{name}": value for part in ("train", "val") for name in _METRICS}, step=step)
            run.log_artifact(overlay, name="checkpoints/best.ckpt")
            for step in (0, 55):
                run.log_image("overlay", overlay, step=step)
            if number == 2:
                run.finish("failed", error="the loss is nan")
    with runstore.open_store(STORE, durable=False) as store:
        store.delete_run(ids[-1])
    runstore.open_store("sqlite:///lab.db", durable=False).close()


def _leave_waiting(url: str) -> None:
    """A journal of a store that cannot be reached."""
    store = runstore.open_store(url)
    assert isinstance(store, Recorder)
    store.ensure_run(store.get_or_create_experiment("ct-seg"))
    die(store)


def do(line: Line, *, run_id: str = "", columns: int | None = None) -> str:
    """Does a command of ours, and gives what it printed.

    A server's database is a file of the same name here, and what a person would be asked is answered by yes.
    """
    words = []
    for word in line.words[1:]:
        if word in _AWAY:
            _leave_waiting(_AWAY[word])
        words.append(run_id if word == "RUN_ID" else _AWAY.get(word) or _SERVER.sub(r"sqlite:///\1.db", word))
    target = words.index(">") if ">" in words else len(words)
    done = runstore_here(*words[:target], columns=columns)
    if "nobody can be asked here" in done.output:
        done = runstore_here(*words[:target], "--yes")
    assert done.exit_code == 0, f"{line.page}: {line.shown}\n{done.output}"
    if words[target:]:
        Path(words[target + 1]).write_text(done.stdout, encoding="utf-8")
    return str(done.stdout)


def check_transcripts(page: str, *, run_id: str = "") -> int:
    """Does the commands of a page's ``console`` blocks at 80 columns, and compares what they print with what is shown.

    Numbers, times and ids may be others, and so may curves; a line ``…`` stands for any lines. Gives how many were compared.
    """
    count = 0
    for block in blocks_of(page, "console"):
        commands = re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]
        for line, written in zip(lines_in(page, block), commands, strict=True):
            shown = _without_chance(written.partition("\n")[2])
            printed = _without_chance(do(line, run_id=run_id, columns=80))
            pattern = "".join(r"(?:.*\n)*?" if each == "…" else re.escape(each) + "\n" for each in shown)
            assert re.fullmatch(pattern, "".join(f"{each}\n" for each in printed)), (
                f"{page}: {line.shown}\nshown:\n{shown}\nprinted:\n{printed}"
            )
            count += 1
    return count


_BY_CHANCE = (
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "ID"),
    (r"\b[\d.]+(?:s|m\d\ds|h\d\dm)\b", "SPAN"),
    (r"(?:\d{4}-)?\d\d-\d\d \d\d:\d\d(?::\d\d)?", "TIME"),
    (r"[\u2800-\u28ff ]+", " "),
    (r"-?\b\d[\d,.]*(?:e[+-]?\d+)?", "N"),
    (r"--+|─+", "-"),
)


def _without_chance(text: str) -> list[str]:
    """The lines, without what differs from one time to the next; of lines that are then equal one."""
    for pattern, instead in _BY_CHANCE:
        text = re.sub(pattern, instead, text)
    lines = [line.strip() for line in text.splitlines()]
    return [line for at, line in enumerate(lines) if line and lines[at - 1 : at] != [line]]
