"""The schema's history: :mod:`.steps` takes one step after the other, and each has files of its own that begin with its number.

What a released step makes never changes: it holds its own copy of it.
"""
