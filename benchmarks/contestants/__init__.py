"""One module per system, each run in that system's own environment: it imports nothing else."""
