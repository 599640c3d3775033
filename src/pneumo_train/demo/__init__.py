"""Drawn films, and a training on them."""
