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
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prefect import flow
from prefect.settings import get_current_settings

from satflow_ext.executors.dask_local import DaskLocalOptions, cluster_arguments, start_local_cluster
from satflow_ext.fork_requests import child_process
from satflow_ext.settings import load_settings

if TYPE_CHECKING:
    from distributed import Client


DASK_LOGGERS = ("bokeh", "distributed", "tornado")
"""The loggers that an import of distributed configures."""


def answer(**told: Any) -> None:
    """Write what the test wants to know, in one step."""
    whole_answer = {"pid": os.getpid(), "parent": os.getppid(), "random": random.random(), **told}
    whole = Path(os.environ["ANSWER"])
    whole.with_suffix(".part").write_text(json.dumps(whole_answer))
    whole.with_suffix(".part").rename(whole)


def double(number: int) -> int:
    return 2 * number


def describe() -> dict[str, Any]:
    """What can differ between processes that should not."""
    described = {
        "environment": dict(os.environ),
        "folder": os.getcwd(),
        "umask": _read_umask(),
        "argv": sys.argv,
        "path": sys.path,
        "flags": list(sys.flags),
        "signals": [str(signal.getsignal(each)) for each in (signal.SIGINT, signal.SIGCHLD, signal.SIGPIPE)],
        "descriptors": sorted(os.path.basename(os.readlink(f"/proc/self/fd/{each}")) for each in range(3))[:1],
        "loggers": sorted(
            (name, each.level, [type(handler).__name__ for handler in each.handlers])
            for name, each in logging.root.manager.loggerDict.items()
            if isinstance(each, logging.Logger) and each.handlers and not name.startswith(DASK_LOGGERS)
        ),
        "root": [type(handler).__name__ for handler in logging.root.handlers],
        "settings": json.loads(get_current_settings().model_dump_json()),
        "main_thread": threading.current_thread() is threading.main_thread(),
        "encodings": [sys.stdout.encoding, sys.getfilesystemencoding()],
    }
    del described["settings"]["api"]
    return described


def _read_umask() -> int:
    umask = os.umask(0o077)
    os.umask(umask)
    return umask


def describe_child(_: object = None) -> dict[str, Any]:
    """The same of a process that a run has started, and its `__main__`."""
    import numpy

    main = sys.modules["__main__"]
    mains = [main.__name__, getattr(main, "__file__", None), main is sys.modules.get("__mp_main__")]
    process = multiprocessing.current_process()
    return {
        **describe(),
        "main": mains,
        "process": [process.name, process.daemon, multiprocessing.get_start_method()],
        "parents": [os.getppid(), multiprocessing.parent_process().pid],
        "seed": hash("a"),
        "random": random.random(),
        "numpy_random": numpy.random.random(),
    }


@flow
def report() -> None:
    sys.stdout.write("written to standard output\n")
    sys.stderr.write("written to standard error\n")
    open("made", "w").close()
    main = sys.modules["__main__"]
    told = {
        **describe(),
        "mode": oct(os.stat("made").st_mode),
        "orig_argv": sys.orig_argv,
        "main": [main.__name__, main.__spec__.name, main.__file__],
    }
    answer(**told, random=0, pid=0)


@flow
def uses_numpy() -> None:
    """Compute with more than one thread, as NumPy does for large matrices."""
    imported = sorted(sys.modules.keys() & {"numpy", "pandas", "requests"})
    import numpy

    threads = len(os.listdir("/proc/self/task"))
    product = numpy.ones((600, 600)) @ numpy.ones((600, 600))
    answer(imported=imported, threads=threads, product=product.sum(), number=numpy.random.random())


@flow
def spawns() -> None:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        answer(done=pool.map(double, [1, 2]) == [2, 4])


def change_this_process() -> None:
    """Set what a process takes over from the one that starts it."""
    os.environ.update(json.loads(os.environ["VARIABLES"]), LATE="set by the run")
    os.chdir(tempfile.mkdtemp(dir=os.getcwd()))
    os.umask(0o067)
    sys.path.append(os.getcwd())
    if "OPEN_FILES" in os.environ:
        resource.setrlimit(resource.RLIMIT_NOFILE, (int(os.environ["OPEN_FILES"]),) * 2)


def describe_spawned() -> list[dict[str, Any]]:
    """What two processes are like that `spawn` starts at once."""
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        return pool.map_async(describe_child, [None] * 2, chunksize=1).get()


@flow
def spawns_and_forks() -> None:
    """A new interpreter and a fork, after the run has changed itself."""
    change_this_process()
    own = describe_spawned()
    child_process.fork_spawned_processes(os.environ["TEMPLATE"])
    answer(own=own, forked=describe_spawned())


@flow
def forks_spawned() -> None:
    """A fork, after the run has changed itself."""
    change_this_process()
    child_process.fork_spawned_processes(os.environ["TEMPLATE"])
    answer(forked=describe_spawned())


@flow
def ends_of_processes() -> None:
    child_process.fork_spawned_processes(os.environ["TEMPLATE"])
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    targets = [(os._exit, 3), (int, "x"), (queue.put, b"1" * 1_000_000), (time.sleep, 300), (time.sleep, 300)]
    started = [context.Process(target=target, args=(argument,)) for target, argument in targets]
    for each in started:
        each.start()
    size = len(queue.get())
    started[3].terminate()
    started[4].kill()
    for each in started:
        each.join()
    with contextlib.suppress(AttributeError):  # found before the fork is requested
        context.Process(target=lambda: None).start()
    answer(codes=[each.exitcode for each in started], alive=[each.is_alive() for each in started], size=size)


def describe_worker() -> dict[str, Any]:
    return {**describe_child(), "pid": os.getpid()}


def start_sleeping() -> int:
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"]).pid


def allocate() -> int:
    """Use more and more memory, until a nanny that works has killed this worker."""
    pieces = []
    while len(pieces) < 40:
        pieces.append(bytearray(b"1") * 50_000_000)
        time.sleep(0.05)
    return len(pieces)


@contextlib.contextmanager
def own_cluster(workers: int) -> Iterator[Client]:
    from distributed import Client

    arguments = cluster_arguments(DaskLocalOptions(n_workers=workers), load_settings())
    with start_local_cluster(**arguments | {"memory_limit": "600MiB"}) as cluster, Client(cluster) as client:
        yield client


@flow
def uses_dask() -> None:
    """A worker uses too much memory, and its nanny kills and restarts it."""
    import dask
    import distributed  # noqa: F401  # adds its settings

    with dask.config.set({"distributed.scheduler.allowed-failures": 0}), own_cluster(2) as client:
        before = list(client.run(describe_worker).values())
        error = client.submit(allocate).exception()
        pids = {each["pid"] for each in before}
        while len(after := list(client.run(describe_worker).values())) < 2 or {each["pid"] for each in after} == pids:
            time.sleep(0.1)
        address = client.scheduler.address
    answer(before=before, after=after, error=type(error).__name__, address=address)


@flow
def starts_dask() -> None:
    with own_cluster(1) as client:
        answer(workers=list(client.run(describe_worker).values()))


@flow
def waits_with_processes() -> None:
    child_process.fork_spawned_processes(child_process.RUN_SOCKET)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        pool.apply(double, (1,))
        with own_cluster(1) as client:
            workers = list(client.run(os.getpid).values())
            child = client.submit(start_sleeping).result()
            pool_processes = [each.pid for each in multiprocessing.active_children()]
            answer(processes=[*workers, child, *pool_processes])
            time.sleep(300)


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
