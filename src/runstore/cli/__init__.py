"""The ``runstore`` command: a person's way to a store, from a terminal.

Its rooms: ``app`` is the group and knows which module makes which command; ``commands`` has one module for each of them;
what several need stands beside them; ``output`` lays out what they print.
"""

from runstore.cli.app import app, main

__all__ = ["app", "main"]
