"""What a run says of itself: a line when it begins and one when it ends, and a table in a notebook."""

import shlex
import sys
from html import escape
from typing import Protocol

from runstore.model import RunFailure, RunStatus
from runstore.secrets import redact

_LONGEST_REASON = 200


class Told(Protocol):
    """What is told of a run."""

    @property
    def id(self) -> str: ...  # noqa: D102 - as of ActiveRun
    @property
    def experiment(self) -> str | None: ...  # noqa: D102
    @property
    def name(self) -> str | None: ...  # noqa: D102
    @property
    def url(self) -> str | None: ...  # noqa: D102
    @property
    def status(self) -> RunStatus: ...  # noqa: D102
    @property
    def failures(self) -> int: ...  # noqa: D102


class Teller:
    """Writes the two lines, unless it is to be silent."""

    def __init__(self, *, speaks: bool, names_store: bool) -> None:
        """Says nothing yet.

        Args:
            speaks: whether anything is written.
            names_store: whether a command needs ``--store`` to find the run, for no setting names its store.
        """
        self._speaks = speaks
        self.names_store = names_store

    def began(self, run: Told) -> None:
        """The run has begun."""
        place = "" if run.url is None else f", stored in {run.url}"
        self._say(f"{described(run)} has begun{place}{self._how_to_see(run)}")

    def ended(self, run: Told, status: RunStatus, error: BaseException | RunFailure | None, seconds: float) -> None:
        """The run has ended."""
        reason = f" by {_reason(error)}" if error is not None else ""
        missed = f"; {run.failures} of its calls were not stored, or not whole" if run.failures else ""
        self._say(f"{described(run)} {status} after {_took(seconds)}{reason}{missed}{self._how_to_see(run)}")

    def _how_to_see(self, run: Told) -> str:
        if run.url is None or run.url.startswith("memory:"):
            return ""
        return f"; see it with: {command_of(run, names_store=self.names_store)}"

    def _say(self, text: str) -> None:
        if not self._speaks:
            return
        stream = sys.stdout if is_notebook() else sys.stderr  # a notebook shows the latter as an error
        try:
            print(f"runstore: {text}", file=stream, flush=True)
        except (OSError, ValueError, AttributeError):  # closed, or none at all
            return


def described(run: Told) -> str:
    """The run in a few words."""
    name = "" if run.name is None else f" ({run.name})"
    place = "" if run.experiment is None else f" of {run.experiment}"
    return f"run {run.id}{name}{place}"


def command_of(run: Told, *, names_store: bool) -> str:
    """The command that shows the run."""
    store = f" --store {shlex.quote(run.url)}" if names_store and run.url else ""
    return f"runstore show {run.id}{store}"


def html_of(run: Told) -> str:
    """The run as a table."""
    cells = {
        "run": run.id,
        "name": run.name,
        "experiment": run.experiment,
        "status": str(run.status),
        "stored in": run.url,
    }
    rows = "".join(
        f"<tr><th style='text-align:left'>{escape(key)}</th><td style='text-align:left'>{escape(value)}</td></tr>"
        for key, value in cells.items()
        if value is not None
    )
    return f"<table>{rows}</table>"


def is_notebook() -> bool:
    """Whether this is the kernel of a notebook."""
    shell = interactive_shell()
    return shell is not None and type(shell).__name__ == "ZMQInteractiveShell"


def interactive_shell() -> object | None:
    """IPython's shell, if this process is one; nothing is imported to find out."""
    ipython = sys.modules.get("IPython")
    get_ipython = getattr(ipython, "get_ipython", None)
    shell: object | None = get_ipython() if callable(get_ipython) else None
    return shell


def _reason(error: BaseException | RunFailure) -> str:
    failure = error if isinstance(error, RunFailure) else RunFailure.from_exception(error)
    first = redact(failure.message).strip().partition("\n")[0]
    text = f"{failure.type}: {first}" if first else failure.type
    return text if len(text) <= _LONGEST_REASON else f"{text[:_LONGEST_REASON]}…"


def _took(seconds: float) -> str:
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
