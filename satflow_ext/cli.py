"""The command line: `satflow COMMAND …`. Each command is a module of `satflow_ext.commands`, imported when it is used."""

from __future__ import annotations

import argparse
import errno
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Protocol, cast

from satflow_ext.arguments import Parser
from satflow_ext.errors import SatflowError

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
    return _run(command, args, rest)


def _run(command: Command, args: argparse.Namespace, rest: Sequence[str]) -> int:
    try:
        return _flushed(command.run(args, rest))
    except SatflowError as error:
        print(f"satflow: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # `satflow logs RUN | head`
        _discard_output()
        return 141
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        _discard_output()
        print(f"satflow: {error.filename or 'The output'} cannot be written: {error.strerror}.", file=sys.stderr)
        return 1


def _flushed(code: int) -> int:
    if sys.stdout is not None:  # it is in `satflow status >&-`
        sys.stdout.flush()
    return code


def _discard_output() -> None:
    """Discard what is still in the buffer, which Python would write again at its end."""
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _wanted(words: Sequence[str]) -> str | None:
    return next((word for word in words if word in COMMANDS), None)


def _command(name: str) -> Command:
    return cast("Command", importlib.import_module(f"satflow_ext.commands.{name}"))


if __name__ == "__main__":
    sys.exit(main())
