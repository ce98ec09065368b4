"""Flows that tell what their process is like, or do something to it."""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import importlib
import json
import logging
import multiprocessing
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from prefect import flow
from prefect.settings import get_current_settings


def answer(**told: Any) -> None:
    """Write what the test wants to know, in one step."""
    whole_answer = {"pid": os.getpid(), "parent": os.getppid(), "random": random.random(), **told}
    whole = Path(os.environ["ANSWER"])
    whole.with_suffix(".part").write_text(json.dumps(whole_answer))
    whole.with_suffix(".part").rename(whole)


def double(number: int) -> int:
    return 2 * number


@flow
def report() -> None:
    sys.stdout.write("written to standard output\n")
    sys.stderr.write("written to standard error\n")
    open("made", "w").close()
    mode = oct(os.stat("made").st_mode)
    main = sys.modules["__main__"]
    told = {
        "environment": dict(os.environ),
        "folder": os.getcwd(),
        "mode": mode,
        "argv": sys.argv,
        "orig_argv": sys.orig_argv,
        "path": sys.path,
        "flags": list(sys.flags),
        "main": [main.__name__, main.__spec__.name, main.__file__],
        "signals": [str(signal.getsignal(each)) for each in (signal.SIGINT, signal.SIGCHLD, signal.SIGPIPE)],
        "descriptors": sorted(os.path.basename(os.readlink(f"/proc/self/fd/{each}")) for each in range(3))[:1],
        "loggers": sorted(
            (name, each.level, [type(handler).__name__ for handler in each.handlers])
            for name, each in logging.root.manager.loggerDict.items()
            if isinstance(each, logging.Logger) and each.handlers
        ),
        "root": [type(handler).__name__ for handler in logging.root.handlers],
        "settings": json.loads(get_current_settings().model_dump_json()),
        "main_thread": threading.current_thread() is threading.main_thread(),
        "encodings": [sys.stdout.encoding, sys.getfilesystemencoding()],
    }
    del told["settings"]["api"]
    answer(**told, random=0, pid=0)


@flow
def spawns() -> None:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        answer(done=pool.map(double, [1, 2]) == [2, 4])


@flow
def forks() -> None:
    with multiprocessing.get_context("fork").Pool(1) as pool:
        answer(done=pool.map(double, [1, 2]) == [2, 4])


@flow
def forks_by_itself() -> None:
    """The child outlives the run, holds all of its descriptors, and ends as Python does."""
    if os.fork() == 0:
        time.sleep(1)
        os._exit(3)
    answer(done=True)


@flow
def closes_descriptors() -> None:
    """Close the connection to the process that requested the run: the only unix socket here with a path."""
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            if os.readlink(f"/proc/self/fd/{name}").startswith("socket:") and _has_path(int(name)):
                os.close(int(name))
    answer(done=True)


def _has_path(descriptor: int) -> bool:
    with socket.socket(fileno=os.dup(descriptor)) as copy:
        return copy.family == socket.AF_UNIX and copy.getsockname() != ""


@flow
def works_after_its_end() -> None:
    atexit.register(lambda: answer(done=worked.is_set()))
    worked = threading.Event()

    def work() -> None:
        time.sleep(0.5)
        worked.set()

    threading.Thread(target=work).start()


@flow
def exits() -> None:
    os._exit(7)


@flow
def is_killed() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@flow
def crashes() -> None:
    ctypes.string_at(0)


@flow
def waits() -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
    answer(child=child.pid)
    try:
        time.sleep(300)
    finally:
        child.kill()


@flow
def waits_for_gate() -> None:
    answer()
    while not os.path.exists(os.environ["GATE"]):
        time.sleep(0.05)


@flow
def imports_new_module() -> None:
    before = getattr(sys, "version_here", None)
    with contextlib.suppress(ImportError):
        importlib.import_module("new_module")
    answer(seen=before or getattr(sys, "version_here", None))
