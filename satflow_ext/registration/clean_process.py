"""Run Python code in a separate process, without the environment of a notebook, and report how that process ended."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from satflow_ext.errors import CannotPickle
from satflow_ext.fork_requests.trial_load import LoadResult, load_in_fork
from satflow_ext.models import Finding, PackedFlow
from satflow_ext.settings import Settings

NOTEBOOK_VARIABLES = ("PYTHONPATH", "PYTHONSTARTUP", "IPYTHONDIR", "MPLBACKEND")
"""Environment variables that a kernel may have and a flow run does not have."""

WATCHDOG = "import faulthandler; faulthandler.dump_traceback_later({seconds}, exit=True)\n"
"""Code that ends its own process after a time limit and prints the stacks of its threads."""

KILL_DELAY = 5.0
"""Seconds after the time limit at which a process is killed if the watchdog did not end it."""

TIMEOUT_LINE = re.compile(r"^Timeout \(.+\)!$", re.MULTILINE)
FRAME_LINE = re.compile(r'^  File "(?P<file>.+)", line (?P<line>\d+) in (?P<function>.+)$', re.MULTILINE)
STANDARD_LIBRARY = re.compile(r"^<|/lib/python3\.\d+/(?!site-packages/)")
LOAD_CODE = "import sys, cloudpickle; cloudpickle.load(open(sys.argv[1], 'rb'))"
TRIAL_SECONDS = 20.0
"""Seconds after which the trial load of a registration is given up."""
MAX_LOAD_SECONDS = 120.0
"""Maximum time of a load in seconds."""


@dataclass(frozen=True)
class FinishedProcess:
    """A process that ended by itself: its exit code, standard output and standard error."""

    code: int
    output: bytes
    errors: bytes

    @property
    def reason(self) -> str:
        """The last line of standard error, which names the uncaught exception."""
        lines = self.errors.decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else f"the process ended with code {self.code} and without a message"

    @property
    def lacks_module(self) -> bool:
        """Return whether a module was not found."""
        return self.reason.startswith(("ModuleNotFoundError:", "ImportError:"))


class ProcessStopped(Exception):
    """The process did not end by itself: it took too long, or a signal ended it.

    Args:
        reason: how the process ended.
        fix: the next step for the user.
    """

    def __init__(self, reason: str, fix: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.fix = fix


async def run_code(executable: str, code: str, *arguments: str, folder: str, limit: float) -> FinishedProcess:
    """Run code in a separate process that ends no later than this call, even if the caller is cancelled.

    Args:
        executable: the interpreter.
        code: the code to run.
        arguments: its command-line arguments.
        folder: its working folder.
        limit: maximum time in seconds.

    Raises:
        OSError: the interpreter cannot be started.
        ProcessStopped: the process took longer, or a signal ended it.
    """
    process = await asyncio.create_subprocess_exec(
        *(executable, "-c", WATCHDOG.format(seconds=limit) + code, *arguments),
        cwd=folder,
        env=_clean_environment(),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        output, errors = await asyncio.wait_for(process.communicate(), limit + KILL_DELAY)
    except asyncio.TimeoutError:
        raise _timeout_error(limit, "") from None
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    return _check_outcome(FinishedProcess(process.returncode or 0, output, errors), limit)


async def run_module(executable: str, module: str, *arguments: str, folder: str, limit: float) -> FinishedProcess:
    """Run a module as `python -m` does, in a separate process as in `run_code`."""
    code = f"import runpy; runpy.run_module({module!r}, run_name='__main__', alter_sys=True)"
    return await run_code(executable, code, *arguments, folder=folder, limit=limit)


def _clean_environment() -> dict[str, str]:
    """Return this process's environment variables without those of a notebook, and with UTF-8 as output encoding."""
    kept = {name: value for name, value in os.environ.items() if name not in NOTEBOOK_VARIABLES}
    return {**kept, "PYTHONIOENCODING": "utf-8"}


def _check_outcome(finished: FinishedProcess, limit: float) -> FinishedProcess:
    errors = finished.errors.decode(errors="replace")
    if finished.code and (stopped := TIMEOUT_LINE.search(errors)):
        raise _timeout_error(limit, _format_stack_location(errors[stopped.end() :]))
    if finished.code < 0:
        raise _signal_error(-finished.code)
    return finished


def _timeout_error(limit: float, location: str) -> ProcessStopped:
    return ProcessStopped(
        f"it had not finished after {limit:g} s{location}",
        fix="Find out what it waits for: code that runs during an import or the load of an object, the network, or a busy disk.",
    )


def _signal_error(number: int) -> ProcessStopped:
    name = signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"
    if number == signal.SIGKILL:
        fix = "Close other programs, capture less data in the flow, or use a machine with more memory."
        return ProcessStopped(f"it was killed ({name}), which happens when memory runs out", fix)
    fix = "A compiled package probably crashed: to find it, import the flow's packages one by one in a new kernel."
    return ProcessStopped(f"it crashed ({name})", fix)


def _format_stack_location(traces: str) -> str:
    """Format the innermost frame of the main thread outside of the standard library. The main thread is listed last."""
    main = traces.rpartition("(most recent call first):")[2]
    frames = list(FRAME_LINE.finditer(main))
    own = [frame for frame in frames if not STANDARD_LIBRARY.search(frame["file"])]
    chosen = (own or frames)[:1]
    return f", in {chosen[0]['function']} ({chosen[0]['file']}, line {chosen[0]['line']})" if chosen else ""


async def load_in_clean_process(packed: PackedFlow, executable: str, *, limit: float = MAX_LOAD_SECONDS) -> float:
    """Load the pickle in a separate process with an empty working folder.

    Args:
        packed: the flow.
        executable: the Python that loads it, of the same minor version as the one that packed it.
        limit: maximum time in seconds.

    Returns:
        Duration of the load in seconds.

    Raises:
        CannotPickle: the load failed, took too long or was killed.
    """
    begun = monotonic()
    body = Path(packed.body).resolve()
    # Next to the pickle file: the process that created its folder deletes it, even if this process was killed.
    with tempfile.TemporaryDirectory(dir=body.parent) as folder:
        try:
            done = await run_code(executable, LOAD_CODE, str(body), folder=folder, limit=limit)
        except ProcessStopped as stopped:
            raise CannotPickle(
                f"The clean process that loads the flow did not finish: {stopped.reason}", fix=stopped.fix
            ) from None
    if done.code:
        raise CannotPickle(f"The flow cannot be loaded in a clean process: {done.reason}", fix=_suggest_fix(done))
    return monotonic() - begun


async def find_load_problem(packed: PackedFlow, settings: Settings) -> tuple[Finding, ...]:
    """Load the flow in a fork of the local stack's template, as its runs will, and return a warning if that fails.

    A warning, because a run may have what the fork has not, such as the secrets of the registration. Without a template of the
    flow's interpreter, nothing is loaded.
    """
    body, python = Path(packed.body), packed.environment.executable
    result = await asyncio.to_thread(load_in_fork, body, python, settings.runtime_dir, limit=TRIAL_SECONDS)
    if result is None or not result.status:
        return ()
    message, fix = _explain_failed_load(result)
    return (Finding(kind="load", level="warning", where=packed.flow.variable, message=message, fix=fix),)


def _explain_failed_load(result: LoadResult) -> tuple[str, str]:
    ended = FinishedProcess(result.status, b"", result.errors.encode())
    if result.status < 0:
        stopped = _signal_error(-result.status)
        return f"flow runs may not be able to load it: {stopped.reason}", stopped.fix
    return f"flow runs may not be able to load it: {ended.reason.removesuffix('.')}", _suggest_fix(ended)


def _suggest_fix(done: FinishedProcess) -> str:
    if done.lacks_module:
        return (
            "Install the module where flow runs execute. Your own module is packed if its file is next to the notebook."
        )
    return "Provide what the flow needs where flow runs execute, such as a file or an environment variable."
