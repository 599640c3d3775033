"""One module a command: its ``command``, and what it does."""
