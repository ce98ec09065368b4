"""Registrations that can be killed: `python victims.py` forks one for each line of JSON that it reads.

It imports everything once, so that a registration, and with it a point to kill it at, costs a fork and not the start of a
Python. A line says what to register (`packed`, `choice`), and one of

    strace   arguments for an `strace -f` that is attached before the registration begins
    point    {"name": "posix.fsync", "number": 2, "after": true}, where `done` happens to it, without any help from outside.
             The name is one of `CALLS`, or a function of SatFlow's such as `satflow_ext.deployments.publish._begin_write`

and `done`, "killed" (by SIGKILL) or "full": from there on no file takes anything (RLIMIT_FSIZE, a real EFBIG).

The answer is a line of JSON: `status` (0 for registered, 1 for refused, 70 for a bare exception, -9 for killed), what was
`said`, and how many `calls` there were of each name.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import traceback
from collections import Counter

from satflow_ext import endpoints
from satflow_ext.errors import SatflowError
from satflow_ext.models import PackedFlow, Registration
from satflow_ext.registration import register
from satflow_ext.settings import load_settings

CALLS = frozenset(
    {
        *(f"posix.{name}" for name in ("open", "fsync", "replace", "unlink", "mkdir")),
        *(f"socket.{name}" for name in ("connect", "send", "sendall", "sendmsg")),
        *("_io.open", "BufferedWriter.write", "BufferedWriter.flush", "fcntl.flock"),
    }
)
"""C functions by which a registration changes anything outside its process."""

READERS = ("zoneinfo", "pytz", "importlib")
"""Whose calls change nothing, and of which there are hundreds."""

CRASHED = 70


class Watch:
    """Counts calls, and does something at one of them."""

    def __init__(self, point=None, done="killed"):
        self.calls = Counter()
        point = {"name": None, "number": 1, "after": False, **(point or {})}
        self._point = (point["name"], point["number"], point["after"])
        self._do = {"killed": killed, "full": full}[done]

    def __call__(self, frame, event, function):
        name = named(frame, event, function)
        if name not in CALLS and name != self._point[0]:
            return
        if event in ("c_call", "call"):
            self.calls[name] += 1
        if (name, self.calls[name], event.endswith("return")) == self._point:
            self._do()

    def start(self):
        threading.setprofile(self)  # fsync happens in threads of asyncio's
        sys.setprofile(self)


def named(frame, event, function):
    module = frame.f_globals.get("__name__", "")
    if not event.startswith("c_"):
        return f"{module}.{frame.f_code.co_name}"
    if module.startswith(READERS):
        return ""
    whose = getattr(function, "__module__", None) or type(getattr(function, "__self__", None)).__name__
    return f"{whose}.{getattr(function, '__name__', '')}"


def killed():
    os.kill(os.getpid(), signal.SIGKILL)


def full():
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))


def main():
    for line in sys.stdin:
        order = json.loads(line)
        sys.stdout.write(json.dumps(one(order)) + "\n")
        sys.stdout.flush()


def one(order):
    """Fork a registration, attach strace to it where that is asked for, and wait for its end."""
    said, says = os.pipe()
    waits, go = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(said)
        os.close(go)
        os.read(waits, 1)
        status = CRASHED
        try:
            status = registered(order, says)
        finally:
            os._exit(status)
    os.close(says)
    os.close(waits)
    tracer, why = attached(child, order["strace"]) if "strace" in order else (None, None)
    os.write(go, b"g")
    os.close(go)
    with os.fdopen(said) as pipe:
        words = pipe.read()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if tracer is not None:
        tracer.communicate()
    told = json.loads(words) if words else {}
    for name in told.pop("modules", ()):  # what the next ones need not read any more
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    return {"status": status, "untraced": why, **told}


def attached(pid, arguments):
    """An strace that has attached, or why it cannot."""
    tracer = subprocess.Popen(["strace", "-f", "-p", str(pid), *arguments], stderr=subprocess.PIPE, text=True)
    line = tracer.stderr.readline()
    while line and "attached" not in line:
        if "ptrace" in line or "not permitted" in line:
            break
        line = tracer.stderr.readline()
    return tracer, None if "attached" in line else line.strip() or "strace ended"


def registered(order, says):
    """Register, and say how that ended, without any of the threads and pipes of the process that this is a fork of."""
    imported = set(sys.modules)
    settings = load_settings()
    where = endpoints.resolve_endpoints(settings, endpoints.read_record(settings))
    packed = PackedFlow.model_validate(order["packed"])
    choice = Registration.model_validate(order["choice"])
    watch = Watch(order.get("point"), order.get("done", "killed"))
    if "strace" not in order:
        watch.start()
    try:
        done = asyncio.run(register(packed, choice, where, settings))
        words, status = done.outcome, 0
    except SatflowError as error:
        words, status = f"{type(error).__name__}: {error}", 1
    except Exception:
        words, status = traceback.format_exc(), CRASHED
    sys.setprofile(None)
    told = {"said": words, "calls": watch.calls, "modules": [name for name in sys.modules if name not in imported]}
    with os.fdopen(says, "w") as pipe:
        json.dump(told, pipe)
    return status


if __name__ == "__main__":
    main()
