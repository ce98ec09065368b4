"""The commands of `satflow`, from their parsers."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from reference_pages.markdown import capitalized, code, link_pages, table
from satflow_ext.arguments import Parser
from satflow_ext.choices import EXECUTOR_OPTIONS_HELP, list_options
from satflow_ext.cli import COMMANDS, import_command

HEAD = """# Command line

`satflow COMMAND …`, or `python -m satflow_ext.cli COMMAND …` for the interpreter of an environment that is not active.
`satflow COMMAND --help` prints the same. Options are written in full, and each one once unless it is *repeatable*.

Exit codes: 0 success; 1 failure, with one line on standard error that begins with `satflow:`; 2 a wrong option; 130 after Ctrl-C; 143 after SIGTERM.

"""
REGISTRATION = "The options of a registration: [registration-options.md](registration-options.md)."


def render_commands() -> str:
    """Render the page."""
    rows = ((f"[`satflow {name}`](#satflow-{name})", capitalized(text)) for name, text in COMMANDS.items())
    return HEAD + table(("command", "purpose"), rows) + "".join(map(_command, COMMANDS))


def _command(name: str) -> str:
    parser = Parser(prog=f"satflow {name}", description=capitalized(COMMANDS[name]))
    import_command(name).configure(parser)
    return "".join(render_parser(parser, "##"))


def render_parser(parser: Parser, level: str) -> Iterator[str]:
    """Render a parser with its positional arguments, its options, and its subcommands below it."""
    registers = parser.separates_unknown_options
    elsewhere = {"--help", *(each.flag for each in list_options() if registers)}
    actions = [each for each in parser._actions if "--help" not in each.option_strings]
    subcommands = next((each for each in actions if isinstance(each, argparse._SubParsersAction)), None)
    shown = [each for each in actions if each is not subcommands and not elsewhere & set(each.option_strings)]
    yield f"\n{level} {parser.prog}\n\n{parser.description or ''}\n"
    yield f"\n```text\n{_usage(parser.prog, actions)}\n```\n"
    if shown:
        yield "\n" + table(("argument", "meaning"), ((_spelling(each), _meaning(each)) for each in shown))
    if registers:
        yield f"\n{REGISTRATION} {EXECUTOR_OPTIONS_HELP.replace(': --', ': `--')}`.\n"
    if subcommands is not None:
        for choice in subcommands.choices.values():
            yield from render_parser(choice, f"{level}#")


def _usage(program: str, actions: list[argparse.Action]) -> str:
    optional = " [OPTIONS]" if any(each.option_strings and not each.required for each in actions) else ""
    required = [
        f" {each.option_strings[-1]} {_placeholder(each)}" for each in actions if each.option_strings and each.required
    ]
    words = [f" {_placeholder(each)}" for each in actions if not each.option_strings]
    return f"{program}{optional}{''.join(required)}{''.join(words)}"


def _placeholder(action: argparse.Action) -> str:
    name = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
    name = "{" + ",".join(action.choices) + "}" if action.choices and not action.metavar else name
    return {"?": f"[{name}]", "*": f"[{name} …]", "+": f"{name} …"}.get(str(action.nargs), name)


def _spelling(action: argparse.Action) -> str:
    if not action.option_strings:
        return code(_placeholder(action))
    value = "" if action.nargs == 0 else f" {_placeholder(action)}"
    return code(f"{', '.join(action.option_strings)}{value}")


def _meaning(action: argparse.Action) -> str:
    return link_pages(action.help % vars(action)) if action.help else ""
