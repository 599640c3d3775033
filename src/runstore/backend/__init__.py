"""What a backend is made of."""

from runstore.backend.begun import BegunRuns

__all__ = ["BegunRuns"]
