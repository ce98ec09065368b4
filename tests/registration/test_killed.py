"""Killed at any call, a registration leaves the old version or the new one, and the next one goes on from there.

Each point is a real registration on the real local stack that dies by SIGKILL, or whose disk fails. Between two points the same
is checked: one row, whose manifest, content, schedule, parameters and tags are those of one version.
`SATFLOW_EVERY_KILL=1` takes every point, for which it needs about half an hour.
"""

from __future__ import annotations

import logging
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from satflow_ext import scratch
from tests.registration.series import Series

EVERY = bool(os.environ.get("SATFLOW_EVERY_KILL"))
SYSTEM_CALLS = "mkdir,write,fsync,rename,unlink,connect,sendto,recvfrom,flock"
"""System calls by which a registration changes anything outside its process, and by which it hears that it has."""
READING = "openat,newfstatat,read,close,epoll_wait,futex"
"""System calls of which there are hundreds, most of them before anything is written."""
READINGS = 12
"""How many of each of those, evenly from the first to the last."""

MOMENTS = [
    ("posix.replace", 1, False),  # the store has everything, and the journal says so nowhere
    ("posix.replace", 1, True),  # journal: begun
    (
        "satflow_ext.registration.next_version.upload_manifest",
        1,
        False,
    ),  # the store has the content and not the manifest
    ("satflow_ext.deployments.write_marker.set_marker", 1, False),  # Prefect has the row and not the write marker
    ("posix.replace", 2, False),  # Prefect has everything, and the journal says "begun"
]
FAILURES = {"mkdir": "ENOSPC", "flock": "ENOLCK", "fsync": "EIO", "rename": "EROFS", "unlink": "EIO"}
TOLD = [
    ("mkdir", "1+", "DiskFull: There is no room left in /"),
    (
        "flock",
        "1+",
        r"DiskFailed: /.* cannot be locked: No locks available\. Nothing was changed\. .*SATFLOW_RUNTIME_DIR",
    ),
    ("fsync", "1+", r"JournalFailed: The journal /.* cannot be written: Input/output error\. "),
]

ATTEMPTS = 10
"""Registrations of which at least one is killed, though each may use other threads."""

LONGEST = 3600
"""Seconds that every point may take together."""

logger = logging.getLogger(__name__)


@pytest.fixture(scope="module")
def victims(stack):
    """What forks the registrations."""
    arguments = [sys.executable, str(Path(__file__).with_name("victims.py"))]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(
        arguments, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process
        process.stdin.close()
    scratch.remove_orphaned_folders(stack.settings)


@pytest.fixture
def series(stack, packed, name, victims):
    found = Series(stack, packed, name, victims)
    assert found.attempt()["said"] == "created"
    return found


@pytest.fixture
def system_calls(series, tmp_path):
    """How often each system call is made by that thread of a registration that makes it most: strace counts each for itself."""
    trace = tmp_path / "trace"
    clean = series.attempt(strace=["-o", str(trace), "-e", f"trace={SYSTEM_CALLS},{READING}"])
    if clean["untraced"]:
        pytest.skip(f"Nobody may trace processes here: {clean['untraced']}.")
    assert clean["said"] == "changed"
    lines = re.findall(r"^(\d+)\s+(\w+)\(", trace.read_text(), flags=re.MULTILINE)
    most: dict[str, int] = {}
    for (_, call), count in Counter(lines).items():
        most[call] = max(most.get(call, 0), count)
    assert {"fsync", "rename", "sendto", "connect"} <= most.keys()
    return most


def survived(series, points, how):
    """How many of the registrations did not end well."""
    ends = Counter()
    for turn, point in enumerate(points):
        if turn % 4 == 3:
            series.another()
        before = series.version()
        ended = series.attempt(**how(point))
        assert ended["status"] in (0, 1, -9), (point, ended)
        series.check(before, point)
        ends[ended["status"]] += 1
        logger.info("%s: %s", point, ended["status"])
    logger.warning("%s points: %s killed, %s refused, %s done", len(points), ends[-9], ends[1], ends[0])
    return len(points) - ends[0]


def test_killed_at_the_moments_that_count(series):
    assert survived(series, MOMENTS, at) == len(MOMENTS)


def test_killed_while_the_row_is_written(series, system_calls):
    """By strace, which needs nothing of the process: at the rename that closes the journal.

    It counts the calls of each thread for itself, and sometimes another thread than that of the first rename makes this one.
    """
    assert any(survived(series, [("rename", system_calls["rename"])], killed) for _ in range(ATTEMPTS))


@pytest.mark.parametrize(("call", "when", "told"), TOLD)
def test_a_disk_that_fails_is_told_and_the_old_version_is_there(series, system_calls, call, when, told):
    before = series.version()
    ended = series.attempt(**failing((call, when)))
    assert (ended["status"], series.version()) == (1, before), ended["said"]
    assert re.match(told, ended["said"]), ended["said"]
    series.check(before, call)


def test_a_disk_that_is_full_when_the_row_is_written_is_told_with_the_version_that_is_there(series):
    ended = series.attempt(**at(("satflow_ext.deployments.publish._complete_write", 1, False)), done="full")
    assert re.match(r"JournalFailed: counts/.* is version 2 now\. The journal /.*: File too large\. ", ended["said"])
    series.check(1, "full")


if EVERY:

    @pytest.mark.timeout(LONGEST)
    def test_killed_at_every_call_of_a_c_function(series):
        calls = series.attempt()["calls"]
        assert {"posix.fsync", "posix.replace", "socket.send", "socket.connect", "fcntl.flock"} <= calls.keys()
        points = [
            (name, number + 1, after)
            for name, count in sorted(calls.items())
            for number in range(count)
            for after in (False, True)
        ]
        assert survived(series, points, at) > len(points) // 2

    @pytest.mark.timeout(LONGEST)
    def test_killed_at_every_system_call(series, system_calls):
        points = [
            (call, number + 1)
            for call, count in sorted(system_calls.items())
            for number in range(0, count, 1 if call in SYSTEM_CALLS.split(",") else max(count // READINGS, 1))
        ]
        assert survived(series, points, killed) > len(points) // 2

    @pytest.mark.timeout(LONGEST)
    def test_a_disk_that_fails_at_every_system_call(series, system_calls):
        points = [(call, number + 1) for call in FAILURES for number in range(system_calls.get(call, 0))]
        assert survived(series, points, failing)


def at(point):
    return {"point": dict(zip(("name", "number", "after"), point, strict=True))}


def killed(point):
    return _injected(point[0], f"signal=KILL:when={point[1]}")


def failing(point):
    return _injected(point[0], f"error={FAILURES[point[0]]}:when={point[1]}")


def _injected(call, what):
    return {"strace": ["-o", "/dev/null", "-e", f"trace={SYSTEM_CALLS},{READING}", "-e", f"inject={call}:{what}"]}
