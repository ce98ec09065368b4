"""The command line: `satflow COMMAND …`. Each command is a module of `satflow_ext.commands`, imported on use."""

from __future__ import annotations

import argparse
import codecs
import contextlib
import errno
import importlib
import io
import json
import os
import select
import signal
import sys
from collections.abc import Sequence
from typing import Protocol, TextIO, cast

from satflow_ext.arguments import Parser
from satflow_ext.commands import interrupts
from satflow_ext.errors import SatflowError
from satflow_ext.terminal_text import TerminalOutput

COMMANDS = {
    "up": "start the local stack and keep it running",
    "down": "stop the local stack",
    "status": "show the running services, their addresses and their logs",
    "doctor": "check that everything SatFlow needs is installed and works",
    "worker": "start a Prefect worker for a work pool, in the foreground",
    "register": "execute notebooks, or import a Python file, and register their flows",
    "run": "run a deployment, once or with different parameters",
    "run-groups": "list run groups, follow them, run their failed points again, and cancel them",
    "retry": "execute a failed run again",
    "logs": "print the log of a run",
    "versions": "list the versions of a deployment",
    "diff": "show the differences between two versions of a deployment",
    "rollback": "create the next version of a deployment from an earlier one",
    "clusters": "list, start, resize and stop the shared Dask clusters of deployments",
    "backends": "list the cluster providers, and show the options of a cluster class",
    "environment": "print the packages that a deployment was registered with",
    "store": "check whether an HTTP endpoint is a store, and delete unused content from the built-in store",
    "sizes": "list the worker sizes, and how much of them runs used",
    "keys": "list, create, export and revoke the keys that flows are signed with",
}

JSON_ESCAPES = "satflow_json_escapes"
"""Name of the error handler for characters that cannot be encoded."""


class Command(Protocol):
    """The interface of a module of `satflow_ext.commands`. `rest` are the arguments that its own flags did not consume."""

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """Add this command's flags."""

    def run(self, args: argparse.Namespace, rest: Sequence[str]) -> int:
        """Run the command and return the exit code."""
        ...


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code.

    Args:
        arguments: its arguments; None means those of this process.
    """
    os.environ.setdefault("DO_NOT_TRACK", "1")  # Prefect sends telemetry, and prints a notice about it
    # httpx imports its own command line, with click, rich and pygments, if they are installed: a tenth of a command's start.
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # the import system's way to make an import fail
    if arguments is None:
        _ensure_unicode_names()
        # No work has started yet, and during imports a KeyboardInterrupt can surface as another error.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    _escape_unencodable()
    with contextlib.ExitStack() as filtered:
        if arguments is None:  # until the end of the process, which may print a traceback
            sys.stdout, sys.stderr = _wrap_stream(sys.stdout), _wrap_stream(sys.stderr)
        else:
            filtered.enter_context(contextlib.redirect_stdout(_wrap_stream(sys.stdout)))
            filtered.enter_context(contextlib.redirect_stderr(_wrap_stream(sys.stderr)))
        return _run_command_line(arguments)


def _wrap_stream(stream: TextIO) -> TextIO:
    """Wrap standard output or error so that it writes no control sequences. None, for a process without one, stays None."""
    return cast("TextIO", TerminalOutput(stream)) if stream is not None else stream


def _run_command_line(arguments: Sequence[str] | None) -> int:
    try:
        try:
            return _parse_and_run(arguments)
        finally:
            _flush_streams()
    except BrokenPipeError:  # `satflow logs RUN | head`
        if not _discard_closed():
            raise
        return 141
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        _discard_stream(sys.stdout)
        print(f"satflow: {error.filename or 'The output'} cannot be written: {error.strerror}.", file=sys.stderr)
        return 1


def _parse_and_run(arguments: Sequence[str] | None) -> int:
    parser = Parser(prog="satflow", description="Register notebook flows with Prefect, run them and watch them.")
    choices = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    command_name = _find_command_name(sys.argv[1:] if arguments is None else arguments)
    command: Command | None = None
    for name, text in COMMANDS.items():
        choice = choices.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
        if name == command_name:
            command = import_command(name)
            command.configure(choice)
    args, rest = parser.parse_known_args(arguments)
    assert command is not None  # argparse accepts no other names
    if arguments is None:
        interrupts.install_handlers()
    code = _run_command(command, args, rest)
    if arguments is None and interrupts.exit_code() is not None:
        _exit_now(code)
    return code


def _run_command(command: Command, args: argparse.Namespace, rest: Sequence[str]) -> int:
    try:
        return command.run(args, rest)
    except KeyboardInterrupt:
        return interrupts.exit_code() or 130
    except Exception as error:
        if (
            code := interrupts.exit_code()
        ) is not None:  # an interrupted command may raise anything, such as an ImportError
            return code
        if not isinstance(error, SatflowError):
            raise
        print(f"satflow: {error}", file=sys.stderr)
        return 1


def _exit_now(code: int) -> None:
    """Exit without Python's shutdown, which may wait seconds for sockets and threads of libraries."""
    with contextlib.suppress(OSError):
        _flush_streams()
    os._exit(code)


def _ensure_unicode_names() -> None:
    """Restart in Python's UTF-8 mode if the locale's encoding of arguments and file names is ASCII.

    In the C locale Python itself does so unless `PYTHONUTF8=0` is set. The output keeps its encoding.
    """
    if sys.getfilesystemencoding() != "ascii" or os.environ.get("PYTHONUTF8") == "1":
        return
    os.environ["PYTHONUTF8"] = "1"
    os.environ.setdefault("PYTHONIOENCODING", sys.stdout.encoding)
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def _escape_unencodable() -> None:
    """Write characters that the output's encoding does not support as JSON escapes, so that `--json` stays valid.

    With Python's `backslashreplace` it would not.
    """
    codecs.register_error(JSON_ESCAPES, _json_escapes)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=JSON_ESCAPES)


def _json_escapes(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end


def _flush_streams() -> None:
    """Flush the buffers while a closed pipe can still be handled; at exit, Python would print a traceback."""
    for stream in _output_streams():
        stream.flush()


def _discard_closed() -> bool:
    """Redirect closed pipes to the null device. Return whether an output was a closed pipe."""
    closed = [stream for stream in _output_streams() if _is_closed_pipe(stream)]
    for stream in closed:
        _discard_stream(stream)
    return bool(closed)


def _discard_stream(stream: TextIO | None) -> None:
    """Redirect a stream to the null device: Python would write its buffer again at exit."""
    if stream is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _is_closed_pipe(stream: TextIO) -> bool:
    poll = select.poll()
    try:
        poll.register(stream.fileno(), 0)
    except (OSError, ValueError):  # not a file, such as a test's capture
        return False
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))


def _output_streams() -> list[TextIO]:
    return [stream for stream in (sys.stdout, sys.stderr) if stream is not None]


def _find_command_name(arguments: Sequence[str]) -> str | None:
    return next((word for word in arguments if word in COMMANDS), None)


def import_command(name: str) -> Command:
    """Import the module of a command. A module's name has underscores instead of hyphens."""
    return cast("Command", importlib.import_module(f"satflow_ext.commands.{name.replace('-', '_')}"))


if __name__ == "__main__":
    sys.exit(main())
