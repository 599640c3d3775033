"""Draws the picture of the README: what the commands print at 80 columns, for runs that are really trained here.

`python scripts/draw_terminal.py docs/pictures/terminal.svg` draws it anew. The same file comes out on each machine: the
models are small, and their arithmetic needs no function that differs from one C library to the next.
"""

import os
import random
import shlex
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.sax.saxutils import escape

import runstore

COMMANDS = (
    (
        "runstore runs --columns name,config.lr,metric.validation.auroc.max \\\n"
        '              --order "metric.validation.auroc.max desc"'
    ),
    'runstore history "lr 0.01" val/auroc --plot',
)
RUNS = {
    0.1: "01a2287f-11c2-7d0a-8f21-5b0e6a3c9d14",
    0.03: "01a2287f-3a95-70e6-9c4d-82f7b1d05e63",
    0.01: "01a2287f-60d8-7b13-a5e9-1c94f2087ab6",
    0.003: "01a2287f-8b4f-7f58-b230-e6d15a7c4f09",
    0.001: "01a2287f-b1e6-7429-8d7b-39a0c8f5e2d1",
}
"""The step sizes that are tried, each with the id of its run: ids are drawn by chance otherwise."""
STEPS, BATCH, FEATURES, HELD_OUT = 300, 10, 8, 500

COLUMNS = 80
WIDTH, HEIGHT, EDGE = 8.4, 17, 16  # of a character and of the edge, in pixels
STYLE = (
    "text{font:14px ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace;fill:#d7dde5;white-space:pre}"
    ".asked{fill:#7ee0a8}.dots{fill:#6cb8ff}.lines{fill:none;stroke:#8b96a5}"
)
BRAILLE = range(0x2800, 0x2900)
DOTS = ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3))
"""Where the dot of each bit of a braille character lies: column and row."""


def main() -> None:
    """Trains, asks, and draws into the file that is named."""
    target = Path(sys.argv[1]).resolve()
    with TemporaryDirectory() as folder:
        os.environ.update(RUNSTORE_STATE_DIR=f"{folder}/state", RUNSTORE_URL=f"sqlite:///{folder}/runs.db")
        for step_size, run_id in RUNS.items():
            train(step_size, run_id)
        lines = [line for command in COMMANDS for line in (*asked(command), *answered(command), "")]
    target.write_text(drawn(lines[:-1]), encoding="utf-8")


def train(step_size: float, run_id: str) -> None:
    """Fits a linear model to drawn points, step by step, and logs how it goes."""
    source = random.Random(7)  # noqa: S311 - drawn points are no secret
    points = [[source.random() - 0.5 for _ in range(FEATURES)] for _ in range(STEPS * BATCH + HELD_OUT)]
    labels = [1.0 if each[0] - 0.5 * each[1] + 0.4 * (source.random() - 0.5) > 0 else -1.0 for each in points]
    weights = [source.random() - 0.5 for _ in range(FEATURES)]
    with runstore.start_run(
        "first steps", run_id=run_id, name=f"lr {step_size}", config={"lr": step_size}, console=False, packages=False
    ) as run:
        for step in range(STEPS):
            batch = range(HELD_OUT + step * BATCH, HELD_OUT + (step + 1) * BATCH)
            errors = {at: output(weights, points[at]) - labels[at] for at in batch}
            for place in range(FEATURES):
                weights[place] -= step_size * sum(errors[at] * points[at][place] for at in batch)
            run.log({"train/loss": sum(error * error for error in errors.values()) / BATCH}, step=step)
            held_out = [(output(weights, points[at]), labels[at]) for at in range(HELD_OUT)]
            run.log({"val/auroc": auroc(held_out)}, step=step)


def output(weights: list[float], point: list[float]) -> float:
    """What the model says of a point."""
    return sum(weight * value for weight, value in zip(weights, point, strict=True))


def auroc(outputs: list[tuple[float, float]]) -> float:
    """Of all pairs of a positive and a negative, the share whose outputs are in the right order."""
    ranks = [label > 0 for _, label in sorted(outputs)]
    positives = sum(ranks)
    below = right = 0
    for is_positive in ranks:
        below += not is_positive
        right += below * is_positive
    return right / (positives * (len(ranks) - positives))


def asked(command: str) -> list[str]:
    """A command as it is typed."""
    return [f"{'$' if at == 0 else ' '} {line}" for at, line in enumerate(command.splitlines())]


def answered(command: str) -> list[str]:
    """The lines that the command prints."""
    words = [sys.executable, "-m", *shlex.split(command.replace("\\\n", ""))]
    environment = os.environ | {"COLUMNS": str(COLUMNS), "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(words, capture_output=True, check=False, encoding="utf-8", env=environment)  # noqa: S603
    if done.returncode:
        sys.exit(done.stderr)
    return done.stdout.splitlines()


def drawn(lines: list[str]) -> str:
    """The lines as a picture. Curves and axes are drawn: not each font has them, and not each in the same width."""
    texts, dots, axes = [], [], []
    is_asked = False
    for row, line in enumerate(lines):
        is_asked = line.startswith("$ ") or (is_asked and line.startswith("   ") and lines[row - 1].endswith("\\"))
        y = EDGE + row * HEIGHT
        for column, character in enumerate(line):
            x = EDGE + column * WIDTH
            if ord(character) in BRAILLE:
                dots += [
                    f"M{x + 1 + 4.2 * right:.1f} {y + 1 + 4.25 * down:.1f}h2.4v2.4h-2.4z"
                    for bit, (right, down) in enumerate(DOTS)
                    if ord(character) >> bit & 1
                ]
            elif character in "│└─":
                middle, centre, beyond = y + HEIGHT / 2, x + WIDTH / 2, x + WIDTH
                upright = f"M{centre:.1f} {y}V{y + HEIGHT if character == '│' else middle}"
                level = f"M{centre if character == '└' else x:.1f} {middle}H{beyond:.1f}"
                axes.append({"│": upright, "└": upright + level, "─": level}[character])
        for column, word in words_of(line):
            kind = ' class="asked"' if is_asked else ""
            place = f'x="{EDGE + column * WIDTH:.1f}" y="{y + 13}" textLength="{len(word) * WIDTH:.1f}"'
            texts.append(f"<text{kind} {place}>{escape(word)}</text>")
    width, height = round(2 * EDGE + COLUMNS * WIDTH), 2 * EDGE + len(lines) * HEIGHT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">',
        "<title>What the commands print for five runs, and the curve of one of them</title>",
        f"<style>{STYLE}</style>",
        f'<rect width="{width}" height="{height}" rx="8" fill="#161b22"/>',
        *texts,
        f'<path class="lines" d="{"".join(axes)}"/>',
        f'<path class="dots" d="{"".join(dots)}"/>',
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def words_of(line: str) -> list[tuple[int, str]]:
    """The words of a line that are text, each with its column."""
    found, column = [], 0
    for word in line.split(" "):
        if word and not any(ord(character) in BRAILLE or character in "│└─" for character in word):
            found.append((column, word))
        column += len(word) + 1
    return found


if __name__ == "__main__":
    main()
