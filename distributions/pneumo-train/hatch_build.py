"""Takes the package from where it lies: in the checkout beside the others, in an sdist below this folder.

Without a link, which archives and Windows may leave out, and which would build a wheel without a file.
"""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class SharedSource(BuildHookInterface):
    """Lays the package that ``pyproject.toml`` names into the wheel or the sdist."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Adds it, unless it lies here, or the installation is editable: that one reads the checkout itself."""
        package = self.config["package"]
        if (Path(self.root) / "src").is_dir() or version == "editable":
            return
        source = Path(self.root).parent.parent / "src" / package
        if not source.is_dir():
            raise FileNotFoundError(f"{source} is not there; build in a checkout of runstore, or in an unpacked sdist")
        build_data["force_include"][str(source)] = package if self.target_name == "wheel" else f"src/{package}"
