"""Run a module as a service of the stack: `python -m satflow_ext.stack.service_main [OPTION MODULE,…] MODULE ARGUMENT…`.

Standard input is a pipe from the supervisor, and a thread waits for its end. When it closes, the supervisor is dead, and every
process of the stack is killed, those that hold a listening socket last. With the option `--preload` the named modules are
imported first. With `--wait` also, but then the service starts only when a byte arrives: a Prefect worker has its imports done
by the time its server answers.
"""

from __future__ import annotations

import gc
import importlib
import os
import runpy
import signal
import sys
import threading
from collections.abc import Iterable

from satflow_ext.lease.start import STACK_MARK
from satflow_ext.stack import stack_processes


def main() -> None:
    """Watch the pipe in a thread and run the module."""
    # A shell's background job ignores SIGINT, and a Prefect worker converts SIGTERM into SIGINT.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.umask(0o077)
    pipe = _detach_stdin()
    arguments = sys.argv[1:]
    holds_listener = os.environ.pop(stack_processes.LISTENER_MARK, None) is not None
    go = threading.Event()
    threading.Thread(target=_watch_pipe, args=(pipe, go, holds_listener), name="satflow-watchdog", daemon=True).start()
    if arguments[0] in ("--preload", "--wait"):
        option, modules, *arguments = arguments
        import_modules(modules.split(","))
        if option == "--wait":
            go.wait()
    sys.argv = arguments
    runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)


def import_modules(modules: Iterable[str]) -> None:
    """Import modules, and call the functions of entries `MODULE:FUNCTION`, which import others.

    The garbage collector is off, and ignores the imported objects later: they stay, and it would traverse them again and again.
    """
    gc.disable()
    for each in modules:
        module, _, function = each.partition(":")
        imported = importlib.import_module(module)
        if function:
            getattr(imported, function)()
    gc.freeze()
    gc.enable()


def _detach_stdin() -> int:
    """Move the pipe to a descriptor that flow runs do not inherit, and connect standard input to the null device."""
    pipe = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return pipe


def _watch_pipe(pipe: int, start_event: threading.Event, holds_listener: bool) -> None:
    while os.read(pipe, 1):
        start_event.set()
    if holds_listener:
        stack_processes.end_processes(os.environ[STACK_MARK])
    else:  # this process is a client and must end before any listening socket closes
        stack_processes.end_clients(os.environ[STACK_MARK])
    os._exit(1)


if __name__ == "__main__":
    main()
