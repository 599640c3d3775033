"""Looks at a page in Chromium, in a fresh profile each time, and clocks within the page what a person sees.

A thing is seen in the first frame in which so many elements lie within the window, have a size and are not hidden. The clock
starts where the browser begins to load the page (its `timeOrigin`), or with the person's last key or click.
"""

import json
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from benchmarks.pages.shown import Seen

_LONGEST_S: Final = 60
_PAINT_TOLD_S: Final = 2
_WINDOW: Final = {"width": 1300, "height": 850}
_CLOCK: Final = """
(first) => {
  const kept = () => JSON.parse(sessionStorage.getItem("clock"));
  const keep = (clock) => sessionStorage.setItem("clock", JSON.stringify(clock));
  const now = () => performance.timeOrigin + performance.now();
  function isSeen(element) {
    const box = element.getBoundingClientRect();
    return box.width && box.height && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth
      && element.checkVisibility({opacityProperty: true, visibilityProperty: true});
  }
  function areSeen({selector, text, count}) {
    let found = 0;
    for (const element of document.querySelectorAll(selector)) {
      if (element.textContent.includes(text) && isSeen(element) && ++found === count) return true;
    }
    return false;
  }
  function look() {
    const clock = kept();
    if (!clock || clock.seen) return;
    if (clock.began && areSeen(clock.wanted)) keep({...clock, seen: now()});
    else requestAnimationFrame(look);
  }
  window.waitFor = (wanted) => { keep({wanted, began: null, seen: null}); look(); };
  const begin = (event) => {
    const clock = kept();
    if (clock && !clock.seen && (event.type !== "keydown" || event.key === "Enter")) keep({...clock, began: now()});
  };
  if (!location.href.startsWith("http")) return;
  if (!kept()) keep({wanted: first, began: performance.timeOrigin, seen: null});
  for (const each of ["keydown", "input", "click"]) addEventListener(each, begin, true);
  requestAnimationFrame(look);
}
"""


class Look:
    """A window in which a page is looked at."""

    def __init__(self, window: Any) -> None:
        self.window = window

    def seconds(self) -> float:
        """How long it took until what was waited for was seen.

        Raises:
            TimeoutError: a minute was not enough.
        """
        until = time.monotonic() + _LONGEST_S
        while time.monotonic() < until:
            clock = self._clock()
            if clock and clock["seen"]:
                return float(clock["seen"] - clock["began"]) / 1e3
            time.sleep(0.02)
        raise TimeoutError(f"not seen within {_LONGEST_S} s")

    def first_paint_ms(self) -> float:
        """The first contentful paint, which the browser tells a moment after it; NaN if it tells none."""
        script = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN"
        until = time.monotonic() + _PAINT_TOLD_S
        while math.isnan(found := float(self.window.evaluate(script))) and time.monotonic() < until:
            time.sleep(0.02)
        return found

    def wait_for(self, seen: Seen) -> None:
        """What is to be seen after the next key or click."""
        self.window.evaluate("wanted => window.waitFor(wanted)", seen._asdict())

    def _clock(self) -> Any:
        from playwright.sync_api import Error  # noqa: PLC0415 - it takes a while

        try:
            return self.window.evaluate("JSON.parse(sessionStorage.getItem('clock'))")
        except Error:  # the page is just being left for another
            return None


@contextmanager
def looking(browser: Any, address: str, seen: Seen) -> Iterator[Look]:
    """Opens an address in a fresh profile; the clock waits for ``seen``."""
    from support.browser import leave  # noqa: PLC0415 - it is on the path once benchmarks.places is imported

    context = browser.new_context(viewport=_WINDOW)
    context.add_init_script(f"({_CLOCK})({json.dumps(seen._asdict())})")
    window = context.new_page()
    window.set_default_timeout(_LONGEST_S * 1000)
    try:
        window.goto(address, wait_until="commit")
        yield Look(window)
    finally:
        leave(window)
        context.close()
