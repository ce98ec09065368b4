"""Parsing of the options of `%register_flow` and `satflow register`."""

from __future__ import annotations

import argparse
import difflib
import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, get_args

from pydantic import JsonValue, ValidationError

from satflow_ext.errors import BadRequest, InvalidInfrastructure, InvalidSecretName
from satflow_ext.kernel.magic_parser import LineParser
from satflow_ext.models import (
    FLOW_EXECUTOR,
    VARIABLE_NAME_PATTERN,
    EnvironmentPolicy,
    Infrastructure,
    JsonObject,
    MissedRuns,
)
from satflow_ext.parameter_values.text import parse_json_or_text
from satflow_ext.validation_errors import convert_first_error


class Option(NamedTuple):
    """An option of `satflow register` and `%register_flow`, declared once for both.

    `value` is the placeholder of its value, None for a flag; `default` applies if the option is not given.
    """

    value: str | None
    purpose: str
    default: str | None = None
    repeated: bool = False
    type: Callable[[str], object] = str


def parse_seconds(text: str) -> float:
    """Parse a number of seconds, as an argparse type."""
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds, such as 3600") from None


SHARED_OPTIONS = {
    "--name": Option("NAME", "the deployment's name (default: the flow's name)"),
    "--executor": Option(
        "EXECUTOR",
        "how tasks run: flow (default: by the flow's own task runner), threads, processes, dask-local, …",
        FLOW_EXECUTOR,
    ),
    "--cron": Option("CRON", 'a cron schedule with five fields: "0 6 * * *"'),
    "--interval": Option("SECONDS", "the interval between runs, instead of --cron", type=parse_seconds),
    "--timezone": Option("ZONE", "the time zone of the schedule, such as Europe/Berlin (default: UTC)", "UTC"),
    "--param": Option("NAME=VALUE", "a parameter, as JSON or text depending on its type (repeatable)", repeated=True),
    "--work-pool": Option("POOL", "the Prefect work pool"),
    "--image": Option("IMAGE", "the container image of runs, if the work pool starts containers"),
    "--cpu": Option("CORES", "the number of cores of a run's container"),
    "--memory": Option("GIB", "the memory of a run's container"),
    "--gpus": Option("NUMBER", "the number of GPUs of a run's container"),
    "--env": Option("NAME=VALUE", "an environment variable of runs, not a credential (repeatable)", repeated=True),
    "--job-variable": Option(
        "NAME=VALUE", "another variable of the work pool, by its name (repeatable)", repeated=True
    ),
    "--tag": Option("TAG", "a tag of the deployment (repeatable)", repeated=True),
    "--environment": Option("POLICY", "if a run's packages differ: warn (default), refuse or recreate", "warn"),
    "--missed-runs": Option(
        "RUNS", "scheduled runs to start that the local stack missed: last (default), all or none", "last"
    ),
    "--secret": Option("NAME", "a credential that the flow needs, looked up at run time (repeatable)", repeated=True),
    "--include": Option(
        "FILES", "data files to pack with the flow: data/*.csv, or a folder (repeatable)", repeated=True
    ),
    "--check": Option(None, "only report the captured objects and problems; nothing is sent"),
    "--overwrite": Option(None, "overwrite changes that were made in Prefect"),
}
"""The options that the command and the magic have in common."""

MAGIC_OPTIONS = {
    **SHARED_OPTIONS,
    "--run": Option(None, "start a run immediately"),
    "--help": Option(None, "show this help message and exit"),
}
"""The options of the magic."""

EXECUTOR_OPTIONS_HELP = "Anything else is an option of the executor: --n-workers 2 --worker-size large"
POLICIES: tuple[EnvironmentPolicy, ...] = get_args(EnvironmentPolicy)
MISSED_RUNS: tuple[MissedRuns, ...] = get_args(MissedRuns)


@dataclass
class ParsedLine:
    """The parsed line: the flow, known options by name (lists of values), and options of the executor."""

    flow: str | None = None
    options: dict[str, list[Any]] = field(default_factory=dict)
    executor_options: JsonObject = field(default_factory=dict)

    def get_single(self, option: str) -> Any:
        """Return the value of an option that may be given only once; None if it is not given."""
        return self.options[option][0] if option in self.options else None


def add_shared_options(parser: argparse.ArgumentParser, *, default: str | None = None) -> None:
    """Add the options that the command and the magic have in common.

    Args:
        parser: the parser of the command or the magic.
        default: `argparse.SUPPRESS` to omit options that are not given from the result.
    """
    for name, option in SHARED_OPTIONS.items():
        if option.value is None:
            parser.add_argument(name, action="store_true", help=option.purpose, default=default or False)
        else:
            parser.add_argument(
                name,
                action="append" if option.repeated else "store",
                metavar=option.value,
                help=option.purpose,
                type=option.type,
                default=default or ([] if option.repeated else option.default),
            )


def help_text() -> str:
    """Format the output of `%register_flow --help`."""
    return _build_parser().format_help()


def parse_line(line: str) -> ParsedLine:
    """Parse the line of the magic.

    Raises:
        BadRequest: the line is not valid; the message names the faulty part.
    """
    parsed_line = ParsedLine()
    own = list(_extract_options(split_line(line), parsed_line))
    values = vars(_build_parser().parse_args(own))
    for option in MAGIC_OPTIONS:
        name = option[2:].replace("-", "_")
        if name in values:
            parsed_line.options[option] = values[name] if isinstance(values[name], list) else [values[name]]
    return parsed_line


def _build_parser() -> LineParser:
    parser = LineParser(
        prog="%register_flow",
        usage="%(prog)s FLOW [options]",
        description="Register a flow of this notebook as a Prefect deployment.",
        epilog=f"{EXECUTOR_OPTIONS_HELP}\n\nExample:\n  %(prog)s main --executor dask-local --n-workers 2 "
        '--cron "0 6 * * *" --timezone Europe/Berlin',
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
    )
    add_shared_options(parser, default=argparse.SUPPRESS)
    parser.add_argument("--run", action="store_true", help=MAGIC_OPTIONS["--run"].purpose, default=argparse.SUPPRESS)
    parser.add_argument(
        "-h", "--help", action="store_true", help=MAGIC_OPTIONS["--help"].purpose, default=argparse.SUPPRESS
    )
    return parser


def _extract_options(words: list[str], parsed: ParsedLine) -> Iterator[str]:
    """Yield the options that are not the executor's, each with its value; store the flow and the executor's options."""
    while words:
        word = words.pop(0)
        name = "--help" if word == "-h" else word.partition("=")[0]
        if not word.startswith("-"):
            _set_flow(parsed, word)
        elif name in MAGIC_OPTIONS:
            value = _option_value(word, words, placeholder=MAGIC_OPTIONS[name].value)
            yield name if value is None else f"{name}={value}"
        else:
            text = _option_value(word, words, placeholder=None) or "true"
            add_executor_option(parsed.executor_options, name, parse_json_or_text(text), MAGIC_OPTIONS)


def add_executor_option(options: JsonObject, option: str, value: JsonValue, known: Iterable[str]) -> None:
    """Add `--n-workers` as the executor's option `n_workers`.

    Args:
        options: options of the executor, to which this one is added.
        option: the option as it was written.
        value: its value.
        known: the options that do not belong to the executor.

    Raises:
        BadRequest: it resembles a known option, cannot be an option of an executor, or was given before.
    """
    near = difflib.get_close_matches(option, list(known), n=1, cutoff=0.8)
    if near or not option.startswith("--"):
        fix = f"Did you mean {near[0]}?" if near else "Options start with two dashes."
        raise BadRequest(f"There is no option {option}.", fix=fix)
    name = option[2:].replace("-", "_")
    if name in options:
        raise BadRequest(f"{option} is given twice.", fix="Keep one of them.")
    options[name] = value


def parse_parameter_texts(texts: Iterable[str]) -> dict[str, str]:
    """Read `["n=3", "name=x"]` as `{"n": "3", "name": "x"}`.

    Raises:
        BadRequest: no `=` in one of them.
    """
    return parse_assignments(texts, "--param", "parameter", "parameters")


def parse_assignments(texts: Iterable[str], option: str, what: str, field: str) -> dict[str, str]:
    """Convert `["n=3", "name=x"]` to `{"n": "3", "name": "x"}`.

    Args:
        texts: the values of an option.
        option: the option.
        what: a noun for what the option sets, for the message.
        field: the field of the request that the error names.

    Raises:
        BadRequest: no `=` in one of them.
    """
    given = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise BadRequest(
                f"The {what} {text!r} lacks a name or a value.", fix=f"Write {option} name=value.", field=field
            )
        given[name] = value
    return given


def to_infrastructure(options: Mapping[str, Sequence[str]]) -> Infrastructure:
    """Convert the options to the infrastructure of runs.

    Args:
        options: option → values, for the options that were given.

    Raises:
        BadRequest: the value of an option is not valid.
    """
    fields: dict[str, object] = {
        name: options[f"--{name}"][0] for name in ("image", "cpu", "memory", "gpus") if f"--{name}" in options
    }
    fields["env"] = parse_assignments(options.get("--env", ()), "--env", "environment variable", "infrastructure.env")
    own = parse_assignments(
        options.get("--job-variable", ()), "--job-variable", "job variable", "infrastructure.job_variables"
    )
    fields["job_variables"] = {name: parse_json_or_text(value) for name, value in own.items()}
    try:
        return Infrastructure.model_validate(fields)
    except ValidationError as error:
        mistake = convert_first_error(error)
        raise InvalidInfrastructure(f"--{mistake.message}", field=f"infrastructure.{mistake.field}") from None


def parse_environment_policy(text: str) -> EnvironmentPolicy:
    """Return the environment policy with this name.

    Raises:
        BadRequest: no policy has this name.
    """
    for policy in POLICIES:
        if text == policy:
            return policy
    fix = f"Choose one of {', '.join(POLICIES)}."
    raise BadRequest(f"{text!r} is not an environment policy.", fix=fix, field="environment")


def parse_missed_runs(text: str) -> MissedRuns:
    """Return the choice of missed runs with this name.

    Raises:
        BadRequest: no choice has this name.
    """
    for choice in MISSED_RUNS:
        if text == choice:
            return choice
    fix = f"Choose one of {', '.join(MISSED_RUNS)}."
    raise BadRequest(f"{text!r} is not a choice of missed runs.", fix=fix, field="missed_runs")


def parse_secret_names(names: Iterable[str]) -> tuple[str, ...]:
    """Remove duplicates from names of credentials.

    Raises:
        InvalidSecretName: a name is not a valid name of an environment variable.
    """
    once = tuple(dict.fromkeys([names] if isinstance(names, str) else names))
    for name in once:
        if not re.fullmatch(VARIABLE_NAME_PATTERN, name):
            raise InvalidSecretName
    return once


def split_line(line: str) -> list[str]:
    """Split the line of a magic into words, as a shell would.

    Raises:
        BadRequest: a quote is never closed.
    """
    try:
        return shlex.split(line)
    except ValueError as error:
        raise BadRequest(f"Cannot read the line: {error}.", fix="Put the whole value between quotes.") from None


def _set_flow(parsed: ParsedLine, word: str) -> None:
    if parsed.flow is not None:
        fix = f"Options start with two dashes; a value with spaces needs quotes, which {word!r} lacks."
        raise BadRequest(f"Two flows are named: {parsed.flow} and {word}.", fix=fix)
    parsed.flow = word


def _option_value(word: str, words: list[str], *, placeholder: str | None) -> str | None:
    """Return the value after `=`, else the next word unless it is an option; `--run` and `--help` take no value."""
    name, equals, value = word.partition("=")
    if equals:
        return value
    takes_none = name in MAGIC_OPTIONS and placeholder is None
    return None if takes_none or not words or words[0].startswith("--") else words.pop(0)
