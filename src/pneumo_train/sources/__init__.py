"""From a folder or a zip to samples, and their split by patient."""
