"""Searches as SQL: the filter, the order, and the pages."""
