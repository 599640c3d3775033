"""The networks, their loss and their optimiser."""
