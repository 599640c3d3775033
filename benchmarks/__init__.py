"""Measures runstore, the raw drivers and its peers side by side: ``python -m benchmarks --help``."""
