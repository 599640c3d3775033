"""The revisions. A released revision never changes: it holds its own copy of what it makes."""
