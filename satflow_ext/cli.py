"""The command line: `satflow COMMAND …`. Each command is a module of `satflow_ext.commands`, imported when it is used."""

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
    "down": "end the local stack",
    "status": "say what runs, where, and where its logs are",
    "doctor": "check that everything SatFlow needs is there and works",
    "register": "execute notebooks, or import a Python file, and register their flows",
    "run": "run a deployment",
    "logs": "print the log of a run",
    "versions": "list the versions of a deployment",
    "diff": "say what differs between two versions of a deployment",
    "rollback": "make the next version of an earlier one",
    "clusters": "list, start, resize and end the Dask clusters that deployments' runs share",
    "backends": "list where clusters come from, and say what a cluster class can be told",
    "environment": "print what was installed where a deployment was registered",
    "store": "check whether an HTTP endpoint is a store, and collect what the built-in one need not keep",
    "sizes": "list the worker sizes, and what runs needed of theirs",
    "keys": "list, make, hand out and revoke the keys that flows are signed with",
}

JSON_ESCAPES = "satflow_json_escapes"
"""Name of the error handler for characters that cannot be encoded."""


class Command(Protocol):
    """What a module of `satflow_ext.commands` offers. `rest` is what its own flags left over."""

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """Add this command's flags."""

    def run(self, args: argparse.Namespace, rest: Sequence[str]) -> int:
        """Do it; the exit code."""
        ...


def main(words: Sequence[str] | None = None) -> int:
    """Do what the words of the command line ask for; the exit code."""
    os.environ.setdefault("DO_NOT_TRACK", "1")  # Prefect tells its makers of each use, and prints that it does
    if words is None:
        _ensure_unicode_names()
        # Nothing has begun yet, and imports turn Ctrl-C into errors of their own.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    _escape_unencodable()
    with contextlib.ExitStack() as filtered:
        if words is None:  # until the end of the process, which may print a traceback
            sys.stdout, sys.stderr = _filtered(sys.stdout), _filtered(sys.stderr)
        else:
            filtered.enter_context(contextlib.redirect_stdout(_filtered(sys.stdout)))
            filtered.enter_context(contextlib.redirect_stderr(_filtered(sys.stderr)))
        return _exit_code(words)


def _filtered(stream: TextIO) -> TextIO:
    """Standard output or error without what a terminal would obey; None, where the process has none, stays None."""
    return cast("TextIO", TerminalOutput(stream)) if stream is not None else stream


def _exit_code(words: Sequence[str] | None) -> int:
    try:
        try:
            return _dispatch(words)
        finally:
            _flush()
    except BrokenPipeError:  # `satflow logs RUN | head`
        if not _discard_closed():
            raise
        return 141
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        _discard(sys.stdout)
        print(f"satflow: {error.filename or 'The output'} cannot be written: {error.strerror}.", file=sys.stderr)
        return 1


def _dispatch(words: Sequence[str] | None) -> int:
    parser = Parser(prog="satflow", description="Register notebook flows with Prefect, run them and watch them.")
    choices = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    wanted = _wanted(sys.argv[1:] if words is None else words)
    command: Command | None = None
    for name, text in COMMANDS.items():
        choice = choices.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
        if name == wanted:
            command = _command(name)
            command.configure(choice)
    args, rest = parser.parse_known_args(words)
    assert command is not None  # argparse knows no other names
    if words is None:
        interrupts.install()
    code = _run(command, args, rest)
    if words is None and interrupts.exit_code() is not None:
        _exit_now(code)
    return code


def _run(command: Command, args: argparse.Namespace, rest: Sequence[str]) -> int:
    try:
        return command.run(args, rest)
    except KeyboardInterrupt:
        return interrupts.exit_code() or 130
    except Exception as error:
        if (code := interrupts.exit_code()) is not None:  # what was cut off may fail in any way, such as in an import
            return code
        if not isinstance(error, SatflowError):
            raise
        print(f"satflow: {error}", file=sys.stderr)
        return 1


def _exit_now(code: int) -> None:
    """End the process without what Python does at its end, which may wait seconds for sockets and threads of libraries."""
    with contextlib.suppress(OSError):
        _flush()
    os._exit(code)


def _ensure_unicode_names() -> None:
    """Start again in Python's UTF-8 mode where the locale's encoding of words and file names is ASCII.

    Python does so itself in the C locale unless `PYTHONUTF8=0` is set. What is written keeps its encoding.
    """
    if sys.getfilesystemencoding() != "ascii" or os.environ.get("PYTHONUTF8") == "1":
        return
    os.environ["PYTHONUTF8"] = "1"
    os.environ.setdefault("PYTHONIOENCODING", sys.stdout.encoding)
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def _escape_unencodable() -> None:
    """Write characters that the output's encoding does not have as the escapes of JSON, so that `--json` stays valid.

    With Python's own `backslashreplace` it would not.
    """
    codecs.register_error(JSON_ESCAPES, _json_escapes)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=JSON_ESCAPES)


def _json_escapes(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end


def _flush() -> None:
    """Write what is buffered while a closed pipe can still be handled; at exit, Python would print a traceback."""
    for stream in _streams():
        stream.flush()


def _discard_closed() -> bool:
    """Send what goes to a closed pipe nowhere; False where no output is one."""
    closed = [stream for stream in _streams() if _is_closed(stream)]
    for stream in closed:
        _discard(stream)
    return bool(closed)


def _discard(stream: TextIO | None) -> None:
    """Send what is in the buffer of a stream nowhere, which Python would write again at its end."""
    if stream is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _is_closed(stream: TextIO) -> bool:
    poll = select.poll()
    try:
        poll.register(stream.fileno(), 0)
    except (OSError, ValueError):  # not a file, such as a test's capture
        return False
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))


def _streams() -> list[TextIO]:
    return [stream for stream in (sys.stdout, sys.stderr) if stream is not None]


def _wanted(words: Sequence[str]) -> str | None:
    return next((word for word in words if word in COMMANDS), None)


def _command(name: str) -> Command:
    return cast("Command", importlib.import_module(f"satflow_ext.commands.{name}"))


if __name__ == "__main__":
    sys.exit(main())
