"""The tables, and their rows as values of the contract."""
