"""The order of test files when several run at a time: what takes long begins first, so that the workers end together."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

LONGEST = (
    "kernel/test_corpus.py",
    "hybrid/test_hybrid.py",
    "executors/test_ray.py",
    "runtime/test_kills.py",
    "run_template/test_template.py",
    "hybrid/test_leaks.py",
    "server/test_stream.py",
    "runtime/test_mutants.py",
    "commands/test_register.py",
    "stack/test_whole_stack.py",
    "kernel/test_fingerprint.py",
)
"""The files that take longest, the longest first."""
KINDS_BY_TIME = ("cluster", "stack", "slow", "quick")


def longest_first(items: list[pytest.Item]) -> None:
    """Sort the tests of a worker by file: the longest ones, then those with clusters, with servers, and the quick ones.

    A file's tests stay together and in their order. Without workers, nothing changes.
    """
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return
    places: dict[Path, tuple[int, int]] = {}
    for item in items:
        place = _place(item)
        places[item.path] = min(places.get(item.path, place), place)
    items.sort(key=lambda item: (*places[item.path], str(item.path)))


def _place(item: pytest.Item) -> tuple[int, int]:
    file = item.path.relative_to(Path(__file__).parent).as_posix()
    long = LONGEST.index(file) if file in LONGEST else len(LONGEST)
    kind = next(number for number, kind in enumerate(KINDS_BY_TIME) if item.get_closest_marker(kind))
    return long, kind
