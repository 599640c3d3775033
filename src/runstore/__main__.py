"""``python -m runstore`` is the command ``runstore``."""

from runstore.cli import main

main()
