"""One module a page. A view turns what a URL asks for into values by a few calls of the reader, and hands them to a template.

Views are plain functions: they run in threads, so a slow database stops nobody else.
"""
