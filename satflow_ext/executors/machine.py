"""How big this machine is."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")


@dataclass(frozen=True)
class Machine:
    """Cores this process may use, and memory in bytes that it can have at most."""

    cores: int
    memory: int


def this_machine() -> Machine:
    """The machine, or the part of it that a container's limits leave."""
    return Machine(cores=_cores(), memory=min(_physical_memory(), _cgroup_memory()))


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _physical_memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _cgroup_memory() -> int:
    """The limit of cgroup v2 (`memory.max`), which says `max` where there is none."""
    try:
        limit = CGROUP_LIMIT.read_text().strip()
    except OSError:
        limit = "max"
    return _physical_memory() if limit == "max" else int(limit)
