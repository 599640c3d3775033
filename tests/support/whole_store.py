"""A store that has everything the page can show, and the address of each view over it."""

import struct
import zlib
from pathlib import Path
from typing import Final

from runstore import open_store
from support.federated_stores import fill_with_rounds
from support.judged_stores import fill_with_predictions
from support.page_stores import fill

LONG: Final = "long" * 40
"""A name without a place to break it at."""

_FILES: Final = {
    "files/a.txt": b"line\n" * 300 + b"x" * 400,
    "files/a.csv": "\n".join(",".join(f"cell {row} {column}" for column in range(25)) for row in range(60)).encode(),
    "files/a.json": b'{"auroc": [' + b"0.5, " * 99 + b"0.5]}",
    "files/a.md": (
        f"# A card\n\n> Not for use.\n\n[{LONG}](https://example.org)\n\n```\n{'x' * 300}\n```\n\n"
        f"| {' | '.join('heads')} |\n{'|--' * 5}|\n| {' | '.join(['a cell of words'] * 5)} |\n\n###### Least\n\n1. one\n"
    ).encode(),
    "files/a.bin": bytes(100),
    f"files/{LONG}.log": b"a line\n",
}

VIEWS: Final = {
    "table": "./?experiment=chest%20x-ray&column=name&column=status&column=metric.validation.auroc.max"
    "&column=config.optimizer.learning_rate&order=metric.validation.auroc.max%20desc&unfolded=fedavg",
    "table of everything": "./",
    "filter with a mistake": "./?filter=status%20%3D%20%27done",
    "filter that finds nothing": "./?filter=name%20%3D%20'nothing'",
    "columns": "columns?experiment=chest%20x-ray",
    "run": "run?id=run01",
    "failed run": "run?id=failed",
    "run with children": "run?id=fedavg",
    "run with long names": "run?id=long",
    "comparison": "compare?run=run01&run=run02&run=other&equal=yes",
    "comparison of many": "compare?" + "&".join(f"run=run{index:02}" for index in range(4, 12)) + "&run=run00",
    "comparison of groups": "compare?run=run01&run=run02&run=run05&run=run06&run=other&group=config.model.name&single=yes",
    "text": "artifact?id=run01&name=files/a.txt",
    "rows": "artifact?id=run01&name=files/a.csv",
    "Markdown": "artifact?id=run01&name=files/a.md",
    "JSON": "artifact?id=run01&name=files/a.json",
    "picture": "artifact?id=run01&name=picture.png",
    "bytes": "artifact?id=run01&name=files/a.bin",
    "picture of a step": "artifact?id=run01&name=films/2.png",
    "evaluation": "evaluation?run=judged&threshold=0.6",
    "evaluation of classes": "evaluation?run=judged&file=predictions/kinds.csv.gz",
    "no predictions": "evaluation?run=unjudged",
    "rounds": "rounds?run=federation",
    "no rounds": "rounds?run=other",
    "spread": "spread?experiment=chest%20x-ray",
    "deleted runs": "deleted",
    "no such page": "nowhere",
    "no such run": "run?id=nobody",
}
"""Each view by a name, as a relative address."""

FAILURES: Final = {
    "filter with a mistake": 400,
    "no predictions": 404,
    "no rounds": 404,
    "no such page": 404,
    "no such run": 404,
}
"""The status of those views that tell of a failure."""

DOWNLOADS: Final = {
    "runs": "runs.csv?order=name",
    "points": "chart.json?run=run01&metric=auroc",
    "points as a table": "chart.csv?run=run01&metric=auroc",
    "chart": "chart.svg?run=run01&metric=auroc",
    "file": "file?id=run01&name=picture.png",
    "figure": "evaluation.svg?run=judged&figure=1",
    "what the filter may have": "complete?text=status%20%3D%20",
}
"""What a view fetches or offers besides, likewise."""


def picture(width: int, height: int) -> bytes:
    """A black PNG."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(bytes(width + 1) * height)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def fill_with_everything(url: str, folder: Path) -> None:
    """Runs of each kind, with predictions, rounds, files of each kind, a deleted and an archived one, and long names."""
    fill(url)
    fill_with_predictions(url, folder)
    fill_with_rounds(url, run_id="federation")
    files = _FILES | {"picture.png": picture(900, 40)} | {f"films/{step}.png": picture(64, 64) for step in range(1, 4)}
    with open_store(url, durable=False) as store:
        for name, content in files.items():
            (folder / "file").write_bytes(content)
            store.log_artifact("run01", folder / "file", name=name)
        store.set_note("run01", "look at it again")
        store.set_tags("run01", {"paper": "yes"})
        run = store.ensure_run(store.get_or_create_experiment(LONG), run_id="long", name=LONG)
        store.log_config(run, {LONG: LONG})
        store.set_tags(run, {LONG: LONG})
        store.set_note(run, LONG)
        store.finalize(run, "completed")
        store.delete_run("run03")
        store.archive_run("run04")
