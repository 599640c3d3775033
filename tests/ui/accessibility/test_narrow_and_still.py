"""Views on a phone, enlarged, without motion, and in the reader's own colours."""

import re
from pathlib import Path
from typing import Any

import pytest

import runstore_ui
from support.whole_store import VIEWS

MOVING = """() => [...document.querySelectorAll("*")].filter((each) => {
  const style = getComputedStyle(each);
  return style.animationName !== "none" || style.transitionDuration.split(", ").some((time) => time !== "0s");
}).map((each) => each.outerHTML.slice(0, 80))"""


@pytest.mark.server
def test_no_view_is_wider_than_a_phone_or_than_a_screen_that_is_enlarged(looking: Any, whole: str) -> None:
    widths = (700, 360, 320)  # the last is a screen of 1280 pixels, enlarged four times
    found = {}
    for name, address in VIEWS.items():
        looking.goto(whole + address)
        looking.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
        for width in widths:
            looking.set_viewport_size({"width": width, "height": 800})
            found[name, width] = looking.evaluate("document.documentElement.scrollWidth")

    assert {each: wide for each, wide in found.items() if wide != each[1]} == {}


@pytest.mark.server
def test_on_a_phone_a_row_is_a_card_with_the_sorted_value_first_and_what_it_is(looking: Any, whole: str) -> None:
    looking.set_viewport_size({"width": 360, "height": 800})
    looking.goto(whole + VIEWS["table"])
    tops = looking.evaluate(
        """() => [...document.querySelectorAll("#run-run11 td:not(.tick)")].map((cell) =>
        [cell.getBoundingClientRect().top, getComputedStyle(cell, "::before").content, cell.innerText.trim()])"""
    )
    first, second, *_ = [(head.strip('"'), text) for _, head, text in sorted(tops, key=lambda each: each[0])]

    assert first == ("none", "effnet-lite0 lr 0.0001")
    assert second == ("auroc validation, best", "0.949")


@pytest.mark.server
def test_on_a_phone_a_figure_keeps_a_size_at_which_it_can_be_read(looking: Any, whole: str) -> None:
    looking.set_viewport_size({"width": 360, "height": 800})
    heights = []
    for name in ("rounds", "spread", "evaluation"):
        looking.goto(whole + VIEWS[name])
        heights += looking.evaluate(
            "[...document.querySelectorAll('.figures svg text')].map((each) => each.getBoundingClientRect().height"
            " * (each.hasAttribute('transform') ? 99 : 1))"
        )

    assert min(heights) >= 10


@pytest.mark.server
def test_nothing_moves_for_who_has_asked_for_less_motion(looking: Any, whole: str) -> None:
    looking.emulate_media(reduced_motion="reduce")
    moving = {}
    for name in ("table", "run", "comparison", "evaluation", "rounds"):
        looking.goto(whole + VIEWS[name])
        moving[name] = looking.evaluate(MOVING)
    looking.emulate_media(reduced_motion="no-preference")

    assert [each for each in moving.values() if each] == []


@pytest.mark.server
def test_in_the_readers_own_colours_what_is_chosen_is_seen(looking: Any, whole: str) -> None:
    looking.set_viewport_size({"width": 1200, "height": 800})
    looking.emulate_media(forced_colors="active")
    looking.goto(whole + VIEWS["comparison"])
    outlines = [looking.eval_on_selector("tr.differs", "row => getComputedStyle(row).outlineStyle")]
    looking.goto(whole)
    looking.keyboard.press("j")
    outlines.append(looking.eval_on_selector("tr.here", "row => getComputedStyle(row).outlineStyle"))
    looking.emulate_media(forced_colors="none")

    assert outlines == ["solid", "solid"]


def test_words_stand_out_from_each_ground_they_stand_on() -> None:
    css = (Path(runstore_ui.__file__).parent / "assets" / "page.css").read_text()
    colours = {
        name: (light, dark) for name, light, dark in re.findall(r"--([\w-]+): light-dark\((#\w+), (#\w+)\)", css)
    }
    words = ("ink", "quiet", "accent", "good", "bad", "unsure")
    pairs = [(word, ground, 4.5) for word in words for ground in ("ground", "raised", "bar")]
    pairs += [("on-accent", "accent", 4.5), ("edge", "ground", 3.0)]

    faint = [
        (word, ground, shade)
        for word, ground, least in pairs
        for shade in (0, 1)
        if _contrast(colours[word][shade], colours[ground][shade]) < least
    ]
    assert faint == []


def _contrast(one: str, other: str) -> float:
    """By WCAG 2: from 1 to 21."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
