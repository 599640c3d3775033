"""A source made ready to be trained on: read, split, looked at, decoded."""
