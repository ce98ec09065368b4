"""Cores, memory and GPUs of this machine."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

DEVICES = Path("/dev")
CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")


@dataclass(frozen=True)
class Machine:
    """The cores available to this process, the maximum memory in bytes, and the number of GPUs with a driver."""

    cores: int
    memory: int
    gpus: int = 0


def measure_machine() -> Machine:
    """Measure this machine, within the limits of a container."""
    return Machine(cores=_count_cores(), memory=min(_physical_memory(), _cgroup_memory()), gpus=_count_gpus())


def _count_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _physical_memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _cgroup_memory() -> int:
    """Read the limit of cgroup v2 (`memory.max`), which is `max` if there is no limit."""
    try:
        limit = CGROUP_LIMIT.read_text("ascii").strip()
    except OSError:
        limit = "max"
    return _physical_memory() if limit == "max" else int(limit)


def _count_gpus() -> int:
    """Count the devices that NVIDIA's driver creates, one for each GPU: `/dev/nvidia0` and so on."""
    return len(list(DEVICES.glob("nvidia[0-9]*")))
