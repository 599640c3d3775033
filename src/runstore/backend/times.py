"""When what people say about a run was changed last: by this a change that comes late finds out whether it still stands."""

from collections.abc import Iterable
from typing import Final, Self

import msgspec
from msgspec import Struct

MOST_GONE_TAGS: Final = 200
"""Of how many removed tags a run knows when that was; of those that it has it knows it for all."""

_decode: Final = msgspec.json.Decoder(dict[int, list[str]]).decode
_TAG: Final = "tag."
_GONE: Final = "gone."


class ChangeTimes(Struct, frozen=True):
    """When each thing of one run was changed last, in microseconds since 1970 UTC.

    Attributes:
        by_what: by ``name``, ``note``, ``archived``, ``deleted``, and ``tag.KEY`` or ``gone.KEY`` for a tag that was set or
            removed. What was never changed is missing.
    """

    by_what: dict[str, int]

    @classmethod
    def of(cls, text: str | None) -> Self:
        """What :attr:`text` gave; nothing for ``None``."""
        by_time = {} if text is None else _decode(text)
        return cls({what: at_us for at_us, group in by_time.items() for what in group})

    @property
    def text(self) -> str:
        """As JSON, with the times as keys: one call may set very many tags."""
        by_time: dict[int, list[str]] = {}
        for what, at_us in self.by_what.items():
            by_time.setdefault(at_us, []).append(what)
        return msgspec.json.encode(by_time).decode()

    def is_newer(self, what: str, at_us: int) -> bool:
        """Whether something was changed after a time."""
        return self.by_what.get(what, at_us) > at_us

    def is_tag_newer(self, key: str, at_us: int) -> bool:
        """Whether a tag was set or removed after a time."""
        return self.is_newer(f"{_TAG}{key}", at_us) or self.is_newer(f"{_GONE}{key}", at_us)

    def with_change(
        self, at_us: int, what: Iterable[str] = (), *, tags: Iterable[str] = (), gone: Iterable[str] = ()
    ) -> Self:
        """The times after a change. A time never goes back: of two machines' clocks one may be ahead."""
        times = dict(self.by_what)
        for one in what:
            times[one] = max(at_us, times.get(one, at_us))
        for keys, now, before in ((tags, _TAG, _GONE), (gone, _GONE, _TAG)):
            for key in keys:
                known = max(times.pop(f"{now}{key}", at_us), times.pop(f"{before}{key}", at_us))
                times[f"{now}{key}"] = max(at_us, known)
        removed = sorted((one for one in times if one.startswith(_GONE)), key=lambda one: times[one])
        for one in removed[:-MOST_GONE_TAGS]:
            del times[one]
        return type(self)(times)
