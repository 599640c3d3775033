"""A federation: rounds in which clients train on films that never leave them, and a server that keeps all of it."""
