"""The SQL dialects, each in a folder of its own.

A folder's face says in a ``KIND`` what it opens; its module ``dialect`` has the ``DIALECT`` that does all the rest. A
new dialect is one folder more: nothing else names it.
"""
