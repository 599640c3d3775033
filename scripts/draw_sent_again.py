"""Draws what a recorder sends again and when, as an SVG that asks nobody for anything.

`python scripts/draw_sent_again.py docs/pictures/sent-again.svg` draws it anew.
"""

import sys
from pathlib import Path
from typing import Final

WIDTH, HEIGHT = 760, 330
LEFT, RIGHT = 150, 740
KEPT, STORED = "#3b82f6", "#22a06b"
GONE: Final = "#c9372c"
STYLE: Final = (
    "text{font:13px system-ui,'DejaVu Sans',Arial,sans-serif;fill:#24292f}.note{font-size:12px;fill:#57606a}"
    ".mark{stroke:#57606a;stroke-width:1;stroke-dasharray:3 3}.back{fill:none;stroke:#c9372c;stroke-width:1.5}"
    ".again{fill:none;stroke:#3b82f6;stroke-width:1.5}"
)
TITLE: Final = "What a database forgets is sent again from the journal: after an outage, when a run ends, and by hand within a week"


def bar(first: int, last: int, y: int, colour: str, *, is_hollow: bool = False) -> str:
    """A stretch of points."""
    fill = (
        f'fill="{colour}" fill-opacity="0.15" stroke="{colour}" stroke-dasharray="4 3"'
        if is_hollow
        else f'fill="{colour}"'
    )
    return f'<rect x="{first}" y="{y}" width="{last - first}" height="18" rx="3" {fill}/>'


def text(x: int, y: int, words: str, *, is_note: bool = False, anchor: str = "start") -> str:
    """Some words."""
    named = ' class="note"' if is_note else ""
    return f'<text{named} x="{x}" y="{y}" text-anchor="{anchor}">{words}</text>'


def mark(x: int, words: str) -> str:
    """A moment, with what happens then."""
    return f'<line class="mark" x1="{x}" y1="44" x2="{x}" y2="290"/>{text(x, 36, words, anchor="middle")}'


def drawn() -> str:
    """The picture."""
    copied, back, answers, ends = 290, 440, 520, 650
    parts = [
        mark(copied, "backup taken, or standby lags"),
        mark(back, ""),
        mark(answers, "it answers again"),
        mark(ends, "the run ends"),
        text(back, 20, "the database goes back", anchor="middle"),
        text(16, 78, "the training"),
        bar(LEFT, ends, 64, "#8c959f"),
        text(16, 118, "the journal"),
        bar(LEFT, ends, 104, KEPT),
        bar(ends, RIGHT, 104, KEPT, is_hollow=True),
        text(RIGHT, 138, "kept for a week", is_note=True, anchor="end"),
        text(16, 178, "the database"),
        bar(LEFT, copied, 164, STORED),
        bar(copied, back, 164, GONE, is_hollow=True),
        text((copied + back) // 2, 178, "acknowledged, gone", anchor="middle"),
        f'<path class="back" d="M{back} 196 Q{(copied + back) // 2} 214 {copied} 196"/>',
        text(16, 258, "afterwards"),
        bar(LEFT, copied, 244, STORED),
        bar(copied, back, 244, KEPT),
        bar(back, ends, 244, STORED),
        text((copied + back) // 2, 232, "sent again", is_note=True, anchor="middle"),
        text((back + ends) // 2, 232, "what waited, and what is new", is_note=True, anchor="middle"),
        text(answers, 304, "compared, and sent again", is_note=True, anchor="middle"),
        text(ends, 304, "compared", is_note=True, anchor="middle"),
        text(RIGHT, 322, "later: runstore sync --verify", is_note=True, anchor="end"),
    ]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img">'
    ground = f'<rect width="{WIDTH}" height="{HEIGHT}" rx="8" fill="#ffffff"/>'
    return "\n".join([head, f"<title>{TITLE}</title>", f"<style>{STYLE}</style>", ground, *parts, "</svg>"]) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(drawn(), encoding="utf-8")
