"""From image files to squares of grey."""
