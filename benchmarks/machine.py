"""The machine, by what matters for speed: processor, cores, memory, system, Python."""

import datetime
import os
import platform
from pathlib import Path
from typing import Any


def describe() -> dict[str, Any]:
    """Processor, cores, memory in GiB, kernel, Python, the moment in UTC, and the load before anything ran."""
    now = datetime.datetime.now(datetime.UTC)
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "python": platform.python_version(),
        "date": now.date().isoformat(),
        "time": now.time().isoformat("seconds"),
        "load_before": os.getloadavg()[0],
    }


def _processor() -> str:
    file = Path("/proc/cpuinfo")
    names = [line.split(":", 1)[1].strip() for line in file.read_text().splitlines() if line.startswith("model name")]
    return names[0] if names else platform.processor()
