"""All that knows Flower: its strategies, its simulation engine, and its deployment engine at the server and at a client.

Flower carries messages and makes one set of weights of many. Its own loop of rounds is not used: it goes on without a
word when nobody has answered, ends the program over one bad answer, and waits without an end for clients that are gone.
"""

import os

QUIET = {
    "FLWR_TELEMETRY_ENABLED": "0",
    "FLWR_DISABLE_UPDATE_CHECK": "1",
    "FLWR_DISABLE_RUNTIME_DEPENDENCY_INSTALLATION": "1",
}
"""No word to anybody outside, and nothing installed at run time. Flower reads these when it is imported."""

os.environ |= QUIET
