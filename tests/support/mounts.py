"""A folder on a file system without shared memory, as network and cloud folders are."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.processes import fast_directory
from support.session import missing


@contextmanager
def without_shared_memory() -> Iterator[tuple[Path, Path]]:
    """A mount that takes files and locks, and no shared mappings, and the folder whose files it shows."""
    if shutil.which("bindfs") is None or not Path("/dev/fuse").exists():
        missing("file systems without shared memory: bindfs and /dev/fuse are not here", needed=False)
    place = Path(tempfile.mkdtemp(prefix="no-shared-memory-", dir=fast_directory()))
    source, mount = place / "source", place / "mount"
    source.mkdir()
    mount.mkdir()
    command = ["bindfs", "-o", "direct_io", str(source), str(mount)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        if mounted.returncode != 0:
            missing(f"file systems without shared memory: {mounted.stderr.strip()}", needed=False)
        yield mount, source
    finally:
        if mounted.returncode == 0:
            tool = shutil.which("fusermount3") or shutil.which("fusermount") or "fusermount"
            subprocess.run([tool, "-u", "-z", mount], check=True)
        shutil.rmtree(place)
