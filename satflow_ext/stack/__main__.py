"""`python -m satflow_ext.stack [--detach]`: the supervisor of the local stack, at most one per user."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
import time
from typing import IO, TYPE_CHECKING

from satflow_ext.lease.address import make_private_folder, socket_path
from satflow_ext.settings import Settings, load_settings
from satflow_ext.stack import service_environment, stack_processes
from satflow_ext.stack.stack_lock import take_stack_lock

if TYPE_CHECKING:
    from satflow_ext.stack.supervisor import Supervisor

LOCK_TIMEOUT = 10.0
"""Seconds to wait for a supervisor that is shutting down."""

logger = logging.getLogger("satflow_ext.stack")


def main() -> int:
    """Run as the supervisor, or exit if one is running already."""
    parser = argparse.ArgumentParser(prog="python -m satflow_ext.stack", description=__doc__)
    parser.add_argument("--detach", action="store_true", help="return immediately and continue in the background")
    parser.add_argument(
        "--starter", type=int, help="descriptor of a pipe that closes when the starter holds a lease or dies"
    )
    arguments = parser.parse_args()
    if arguments.detach and os.fork():
        os._exit(0)
    if arguments.starter is not None:
        os.set_inheritable(arguments.starter, False)  # services must not inherit it
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    os.umask(0o077)
    settings = load_settings()
    make_private_folder(settings.state_dir)
    make_private_folder(settings.state_dir / "logs")
    lock = _wait_for_lock(settings)
    if lock is None:
        logger.info("another supervisor is running")
        return 0
    with lock:
        asyncio.run(_run_supervisor(settings, arguments.starter))
    return 0


def _wait_for_lock(settings: Settings) -> IO[bytes] | None:
    """Take the supervisor's lock; return None if another supervisor keeps it for `LOCK_TIMEOUT` seconds."""
    deadline = time.monotonic() + LOCK_TIMEOUT
    while time.monotonic() < deadline:
        lock = take_stack_lock(settings)
        if lock is not None:
            return lock
        time.sleep(0.05)
    return None


async def _run_supervisor(settings: Settings, starter: int | None) -> None:
    from satflow_ext.stack.supervisor import Supervisor

    stack_processes.end_processes(
        service_environment.stack_mark(settings)
    )  # processes of a dead stack, before any process of this one starts
    path = socket_path(settings)
    make_private_folder(path.parent)
    path.unlink(missing_ok=True)
    supervisor = Supervisor(settings)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, supervisor.stop)
    door = await asyncio.start_unix_server(supervisor.handle_connection, path)
    if starter is not None:
        loop.add_reader(starter, _handle_starter_end, loop, starter, supervisor)
    logger.info("supervisor %s listens at %s", os.getpid(), path)
    try:
        await supervisor.run(door)
    finally:
        path.unlink(missing_ok=True)
    logger.info("supervisor %s ended", os.getpid())


def _handle_starter_end(loop: asyncio.AbstractEventLoop, starter: int, supervisor: Supervisor) -> None:
    """Handle the end of the starter's pipe, which is never written to and becomes readable only when it closes."""
    loop.remove_reader(starter)
    os.close(starter)
    supervisor.handle_starter_end()


if __name__ == "__main__":
    sys.exit(main())
