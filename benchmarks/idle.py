"""What an idle local stack costs: processor time in percent of one core, and memory shared out among processes (PSS).

The peer is `prefect server start` with a stock process worker, both at their defaults, idle at the same time.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
from figure import report
from places import free_port, own_stack, stock_environment, stop_peer, wait_until_ready

from satflow_ext.lease.start import STACK_MARK

SETTLE_SECONDS = 60.0
"""Seconds after the start in which the services still do things that they do once."""

MEASURED_SECONDS = 300.0


@contextmanager
def stock_prefect(home: Path) -> Iterator[list[int]]:
    """Prefect's own server and process worker on a fresh home; the process ids."""
    port = free_port()
    prefect = [sys.executable, "-m", "prefect"]
    environment = stock_environment(home)
    connected = {**environment, "PREFECT_API_URL": f"http://127.0.0.1:{port}/api"}
    with (home / "peer.log").open("ab") as log:
        serve = [*prefect, "server", "start", "--port", str(port)]
        server = subprocess.Popen(serve, env=environment, cwd=home, stdout=log, stderr=log)
        try:
            wait_until_ready(port)
            start = [*prefect, "worker", "start", "--pool", "stock", "--type", "process"]
            worker = subprocess.Popen(start, env=connected, cwd=home, stdout=log, stderr=log)
            try:
                yield [server.pid, worker.pid]
            finally:
                stop_peer(worker)
        finally:
            stop_peer(server)


def stack_processes(mark: str) -> list[psutil.Process]:
    """The supervisor, the services and what they started."""
    return [process for process in psutil.process_iter() if _belongs(process, mark)]


def _belongs(process: psutil.Process, mark: str) -> bool:
    try:
        environment = process.environ()
        is_supervisor = process.cmdline()[1:3] == ["-m", "satflow_ext.stack"]
        return environment.get(STACK_MARK) == mark or (is_supervisor and environment["SATFLOW_RUNTIME_DIR"] == mark)
    except psutil.Error:
        return False


def _with_children(pids: list[int]) -> list[psutil.Process]:
    processes = [psutil.Process(pid) for pid in pids]
    return [*processes, *(child for process in processes for child in process.children(recursive=True))]


def processor_time(processes: list[psutil.Process]) -> float:
    """Processor seconds of processes and the children that they have reaped."""
    return sum(sum(process.cpu_times()[:4]) for process in processes)


def memory(processes: list[psutil.Process]) -> float:
    """Megabytes, of shared pages only this process's share."""
    return sum(process.memory_full_info().pss for process in processes) / 1e6


def main(runtime_dir: Path, peer_ids: list[int]) -> None:
    """Measure both at the same time."""
    time.sleep(SETTLE_SECONDS)
    finders: list[Callable[[], list[psutil.Process]]] = [
        lambda: stack_processes(str(runtime_dir.resolve())),
        lambda: _with_children(peer_ids),
    ]
    before = [processor_time(find()) for find in finders]
    time.sleep(MEASURED_SECONDS)
    found = [find() for find in finders]
    ours, peer = (
        100 * (processor_time(each) - earlier) / MEASURED_SECONDS for each, earlier in zip(found, before, strict=True)
    )
    report("idle.cpu", ours, peer, unit="% of a core", n=1)
    report("idle.memory", memory(found[0]), memory(found[1]), unit="MB", n=1)


if __name__ == "__main__":
    with own_stack() as (_, settings), TemporaryDirectory() as home, stock_prefect(Path(home)) as peer_ids:
        main(settings.runtime_dir, peer_ids)
