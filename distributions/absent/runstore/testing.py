"""Stands where the conformance kit would be, and says how to get it.

The distribution ``runstore`` brings this module, ``runstore-testing`` a package of the same name. Python takes a package
before a module, so this one is met only where the kit is not installed.
"""

raise ModuleNotFoundError(
    "runstore.testing, the conformance kit, is not installed; do: pip install runstore-testing", name=__name__
)
