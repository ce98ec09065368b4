"""How big this machine is."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

DEVICES = Path("/dev")
CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")


@dataclass(frozen=True)
class Machine:
    """Cores this process may use, memory in bytes that it can have at most, and GPUs that have a driver."""

    cores: int
    memory: int
    gpus: int = 0


def this_machine() -> Machine:
    """The machine, or the part of it that a container's limits leave."""
    return Machine(cores=_cores(), memory=min(_physical_memory(), _cgroup_memory()), gpus=_gpus())


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _physical_memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _cgroup_memory() -> int:
    """The limit of cgroup v2 (`memory.max`), which says `max` where there is none."""
    try:
        limit = CGROUP_LIMIT.read_text("ascii").strip()
    except OSError:
        limit = "max"
    return _physical_memory() if limit == "max" else int(limit)


def _gpus() -> int:
    """NVIDIA's driver makes a device for each: `/dev/nvidia0` and so on."""
    return len(list(DEVICES.glob("nvidia[0-9]*")))
