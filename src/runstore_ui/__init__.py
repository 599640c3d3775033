"""The page: what ``runstore ui`` shows of the runs in any store.

A view is a URL, a row is a run, and a chart shows the truth. The page reads through :class:`runstore.RunReader`, and
changes runs through :class:`runstore.RunEditor` where it was started to do so; it knows no database.

The rooms, from the top: ``serving`` (a server on this machine), ``app`` (the routes), ``saving`` (views as one file each),
``views`` (one module a page: what a URL asks for becomes values), ``pages`` (templates that show those values), ``security`` (who is answered), ``state`` (what a
URL says), ``judging`` and ``rounds`` (predictions, and the rounds of a federation, as values of a page), ``figures``
(pictures as SVG), ``evaluation`` (what predictions say of a classifier), ``assets`` (styles and scripts), ``site`` (what all
of them are given).
"""

from runstore_ui.app import make_app
from runstore_ui.serving import Running, Served, serve, start
from runstore_ui.site import Options

__all__ = ["Options", "Running", "Served", "make_app", "serve", "start"]
