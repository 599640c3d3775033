"""One training, led to its end."""
