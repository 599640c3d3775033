"""How the machine fares, as series beside the run's metrics: processor, memory, disk, and GPUs where NVML is."""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from types import ModuleType
from typing import Any

from runstore.local.flags import Flag
from runstore.model import MetricPoint
from runstore.training.session import RunSession

_log = logging.getLogger(__name__)

_MEBIBYTE = 2**20


class SystemMetrics:
    """A thread that logs readings of this machine until it is stopped.

    The series are called ``system/...``, of the dataset type ``other``. Their step is the time in whole seconds since
    1970, so that a resumed run adds to them and overwrites nothing.
    """

    def __init__(
        self, session: RunSession, *, every_s: float, directory: str, now: Callable[[], float] = time.time
    ) -> None:
        """Starts at once; the first readings are taken right away.

        Args:
            session: where the readings go.
            every_s: seconds between readings.
            directory: the disk that holds it is watched.
            now: seconds since 1970.
        """
        self._session = session
        self._every_s = every_s
        self._now = now
        self._sources = _sources(directory)
        self._stopped = Flag()
        self._thread = threading.Thread(target=self._watch, name="runstore-system-metrics", daemon=True)
        self._thread.start()

    @property
    def is_running(self) -> bool:
        """Whether readings are taken."""
        return self._thread.is_alive()

    def stop(self, *, is_hurried: bool = False) -> None:
        """Ends the thread; waits for a reading that is under way, a few seconds at most, unless it is hurried."""
        self._stopped.set()
        if not is_hurried:
            self._thread.join(timeout=5)

    def _watch(self) -> None:
        while True:
            readings: dict[str, float] = {}
            for source in self._sources:
                with suppress(Exception):  # a driver may answer anything; the other sources still can be read
                    readings |= source()
            step = int(self._now())
            self._session.log_metrics(
                MetricPoint(name=f"system/{name}", value=value, step=step) for name, value in readings.items()
            )
            if self._stopped.wait(self._every_s):
                return


def _sources(directory: str) -> list[Callable[[], dict[str, float]]]:
    sources: list[Callable[[], dict[str, float]]] = []
    psutil = _module("psutil")
    if psutil is None:
        _log.warning("system metrics of processor, memory and disk need psutil; do: pip install psutil")
    else:
        process = psutil.Process()
        psutil.cpu_percent()
        process.cpu_percent()  # the first call of both gives 0.0 and sets the beginning of the next
        sources.append(lambda: _machine(psutil, process, directory))
    nvml = _module("pynvml")
    if nvml is not None:
        with suppress(Exception):  # no driver, no GPU: nothing to watch
            nvml.nvmlInit()
            handles = [nvml.nvmlDeviceGetHandleByIndex(index) for index in range(nvml.nvmlDeviceGetCount())]
            sources.extend(_gpu_source(nvml, index, handle) for index, handle in enumerate(handles))
    return sources


def _machine(psutil: Any, process: Any, directory: str) -> dict[str, float]:
    memory = psutil.virtual_memory()
    return {
        "cpu_percent": psutil.cpu_percent(),
        "memory_percent": memory.percent,
        "memory_available_mib": memory.available / _MEBIBYTE,
        "process_cpu_percent": process.cpu_percent(),
        "process_memory_mib": process.memory_info().rss / _MEBIBYTE,
        "disk_percent": psutil.disk_usage(directory).percent,
    }


def _gpu_source(nvml: Any, index: int, handle: Any) -> Callable[[], dict[str, float]]:
    def read() -> dict[str, float]:
        memory = nvml.nvmlDeviceGetMemoryInfo(handle)
        return {
            f"gpu{index}_percent": float(nvml.nvmlDeviceGetUtilizationRates(handle).gpu),
            f"gpu{index}_memory_percent": 100.0 * memory.used / memory.total,
            f"gpu{index}_memory_mib": memory.used / _MEBIBYTE,
            f"gpu{index}_celsius": float(nvml.nvmlDeviceGetTemperature(handle, nvml.NVML_TEMPERATURE_GPU)),
            f"gpu{index}_watts": nvml.nvmlDeviceGetPowerUsage(handle) / 1000.0,
        }

    return read


def _module(name: str) -> ModuleType | None:
    try:
        return import_module(name)
    except ImportError:
        return None
