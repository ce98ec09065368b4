"""Search for all findings about a flow, shared by the pre-flight report and by registration."""

from __future__ import annotations

from collections.abc import Container, Sequence
from pathlib import Path

from satflow_ext.kernel.flow_discovery import Shell
from satflow_ext.kernel.preflight.findings import find_problems
from satflow_ext.kernel.preflight.left_files import find_missing_files
from satflow_ext.kernel.reachable_objects import ReachedObject
from satflow_ext.kernel.side_effects import find_side_effects
from satflow_ext.models import Finding


def find_findings(
    everything: Sequence[ReachedObject],
    shell: Shell | None,
    modules: frozenset[str],
    folder: Path,
    *,
    included: Container[str] = (),
    texts: int | None = None,
) -> list[Finding]:
    """Find live objects, credentials, cells that change the process, and named files that are not included.

    Args:
        everything: all objects that the flow reaches.
        shell: the shell whose cells are checked; None in plain Python.
        modules: top-level modules that the flow refers to.
        folder: the notebook's folder.
        included: paths of the included data files, relative to it.
        texts: the maximum number of texts to compare with the shapes of credentials (default: all).
    """
    return [
        *find_problems(everything, texts=texts),
        *find_side_effects(shell, modules),
        *find_missing_files(everything, folder, included),
    ]
