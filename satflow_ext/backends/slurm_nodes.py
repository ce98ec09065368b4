"""Resources of SLURM's nodes."""

from __future__ import annotations

import re
from dataclasses import dataclass

from satflow_ext.backends.slurm_command import FIX, run_slurm_command
from satflow_ext.errors import ClusterFailed

MIB = 1024**2
GPU_RESOURCE = re.compile(r"(?:^|,)gpu(?::[^,:(]+)?:(\d+)")
"""GPUs in a list of generic resources: `gpu:2`, `gpu:a100:4(S:0-1)`, `gpu:tesla:2,nvme:1` (sinfo's manual page, `%G`)."""


@dataclass(frozen=True)
class Node:
    """Cores, memory in bytes, and GPUs of a node."""

    cores: int
    memory: int
    gpus: int


def list_nodes(partition: str | None) -> list[Node]:
    """List the kinds of nodes in a partition, or in all partitions.

    Raises:
        ClusterFailed: SLURM does not answer, or its output cannot be parsed.
    """
    chosen = (f"--partition={partition}",) if partition else ()
    return [
        _parse_node(line) for line in run_slurm_command("sinfo", "--noheader", "--exact", "--format=%c|%m|%G", *chosen)
    ]


def list_partitions() -> list[str]:
    """List the names of the partitions.

    Raises:
        ClusterFailed: SLURM does not answer.
    """
    return sorted(set(run_slurm_command("sinfo", "--noheader", "--format=%R")))


def _parse_node(line: str) -> Node:
    try:
        cores, memory, resources = line.split("|", 2)
        gpus = sum(int(number) for number in GPU_RESOURCE.findall(resources))
        return Node(int(cores.rstrip("+")), int(memory.rstrip("+")) * MIB, gpus)
    except ValueError:
        raise ClusterFailed(f"The output of sinfo cannot be parsed: {line!r}.", fix=FIX) from None
