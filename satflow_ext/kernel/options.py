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
from satflow_ext.models import AS_FLOW_SAYS, VARIABLE_NAME, EnvironmentPolicy, Infrastructure, JsonObject, MissedRuns
from satflow_ext.parameter_values.text import from_text
from satflow_ext.validation_errors import first_mistake


class Option(NamedTuple):
    """An option of `satflow register` and `%register_flow`, declared once for both.

    `value` is the placeholder of its value, None for a flag; `default` applies if the option is not given.
    """

    value: str | None
    purpose: str
    default: str | None = None
    repeated: bool = False
    type: Callable[[str], object] = str


def seconds(text: str) -> float:
    """Parse a number of seconds, as an argparse type."""
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds, such as 3600") from None


SHARED = {
    "--name": Option("NAME", "the deployment's name (default: the flow's name)"),
    "--executor": Option(
        "EXECUTOR",
        "how tasks run: flow (default: by the flow's own task runner), threads, processes, dask-local, …",
        AS_FLOW_SAYS,
    ),
    "--cron": Option("CRON", 'a cron schedule with five fields: "0 6 * * *"'),
    "--interval": Option("SECONDS", "the interval between runs, instead of --cron", type=seconds),
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

OPTIONS = {
    **SHARED,
    "--run": Option(None, "start a run immediately"),
    "--help": Option(None, "show this help message and exit"),
}
"""The options of the magic."""

EXECUTOR_OPTIONS = "Anything else is an option of the executor: --n-workers 2 --worker-size large"
POLICIES: tuple[EnvironmentPolicy, ...] = get_args(EnvironmentPolicy)
MISSED: tuple[MissedRuns, ...] = get_args(MissedRuns)


@dataclass
class Words:
    """The parsed line: the flow, known options by name (lists of values), and options of the executor."""

    flow: str | None = None
    known: dict[str, list[Any]] = field(default_factory=dict)
    executor_options: JsonObject = field(default_factory=dict)

    def one(self, option: str) -> Any:
        """Return the value of an option that may be given only once; None if it is not given."""
        return self.known[option][0] if option in self.known else None


def add_shared_options(parser: argparse.ArgumentParser, *, default: str | None = None) -> None:
    """Add the options that the command and the magic have in common.

    Args:
        parser: the parser of the command or the magic.
        default: `argparse.SUPPRESS` to omit options that are not given from the result.
    """
    for name, option in SHARED.items():
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
    return _parser().format_help()


def read(line: str) -> Words:
    """Parse the line of the magic.

    Raises:
        BadRequest: the line is not valid; the message names the faulty part.
    """
    said = Words()
    own = list(_own_words(split(line), said))
    values = vars(_parser().parse_args(own))
    for option in OPTIONS:
        name = option[2:].replace("-", "_")
        if name in values:
            said.known[option] = values[name] if isinstance(values[name], list) else [values[name]]
    return said


def _parser() -> LineParser:
    parser = LineParser(
        prog="%register_flow",
        usage="%(prog)s FLOW [options]",
        description="Register a flow of this notebook as a Prefect deployment.",
        epilog=f"{EXECUTOR_OPTIONS}\n\nExample:\n  %(prog)s main --executor dask-local --n-workers 2 "
        '--cron "0 6 * * *" --timezone Europe/Berlin',
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
    )
    add_shared_options(parser, default=argparse.SUPPRESS)
    parser.add_argument("--run", action="store_true", help=OPTIONS["--run"].purpose, default=argparse.SUPPRESS)
    parser.add_argument("-h", "--help", action="store_true", help=OPTIONS["--help"].purpose, default=argparse.SUPPRESS)
    return parser


def _own_words(words: list[str], said: Words) -> Iterator[str]:
    """Yield the options that are not the executor's, each with its value; store the flow and the executor's options."""
    while words:
        word = words.pop(0)
        name = "--help" if word == "-h" else word.partition("=")[0]
        if not word.startswith("-"):
            _take_flow(said, word)
        elif name in OPTIONS:
            value = _value(word, words, wanted=OPTIONS[name].value)
            yield name if value is None else f"{name}={value}"
        else:
            text = _value(word, words, wanted=None) or "true"
            add_executor_option(said.executor_options, name, from_text(text), OPTIONS)


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


def parameter_texts(texts: Iterable[str]) -> dict[str, str]:
    """Read `["n=3", "name=x"]` as `{"n": "3", "name": "x"}`.

    Raises:
        BadRequest: no `=` in one of them.
    """
    return pairs(texts, "--param", "parameter", "parameters")


def pairs(texts: Iterable[str], option: str, what: str, field: str) -> dict[str, str]:
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


def infrastructure(said: Mapping[str, Sequence[str]]) -> Infrastructure:
    """Convert the options to the infrastructure of runs.

    Args:
        said: option → values, for the options that were given.

    Raises:
        BadRequest: the value of an option is not valid.
    """
    fields: dict[str, object] = {
        name: said[f"--{name}"][0] for name in ("image", "cpu", "memory", "gpus") if f"--{name}" in said
    }
    fields["env"] = pairs(said.get("--env", ()), "--env", "environment variable", "infrastructure.env")
    own = pairs(said.get("--job-variable", ()), "--job-variable", "job variable", "infrastructure.job_variables")
    fields["job_variables"] = {name: from_text(value) for name, value in own.items()}
    try:
        return Infrastructure.model_validate(fields)
    except ValidationError as error:
        mistake = first_mistake(error)
        raise InvalidInfrastructure(f"--{mistake.message}", field=f"infrastructure.{mistake.field}") from None


def environment_policy(text: str) -> EnvironmentPolicy:
    """Return the environment policy with this name.

    Raises:
        BadRequest: no policy has this name.
    """
    for policy in POLICIES:
        if text == policy:
            return policy
    fix = f"Choose one of {', '.join(POLICIES)}."
    raise BadRequest(f"{text!r} is not an environment policy.", fix=fix, field="environment")


def missed_runs(text: str) -> MissedRuns:
    """Return the choice of missed runs with this name.

    Raises:
        BadRequest: no choice has this name.
    """
    for choice in MISSED:
        if text == choice:
            return choice
    fix = f"Choose one of {', '.join(MISSED)}."
    raise BadRequest(f"{text!r} is not a choice of missed runs.", fix=fix, field="missed_runs")


def secret_names(names: Iterable[str]) -> tuple[str, ...]:
    """Remove duplicates from names of credentials.

    Raises:
        InvalidSecretName: a name is not a valid name of an environment variable.
    """
    once = tuple(dict.fromkeys([names] if isinstance(names, str) else names))
    for name in once:
        if not re.fullmatch(VARIABLE_NAME, name):
            raise InvalidSecretName
    return once


def split(line: str) -> list[str]:
    """Split the line of a magic into words, as a shell would.

    Raises:
        BadRequest: a quote is never closed.
    """
    try:
        return shlex.split(line)
    except ValueError as error:
        raise BadRequest(f"Cannot read the line: {error}.", fix="Put the whole value between quotes.") from None


def _take_flow(said: Words, word: str) -> None:
    if said.flow is not None:
        fix = f"Options start with two dashes; a value with spaces needs quotes, which {word!r} lacks."
        raise BadRequest(f"Two flows are named: {said.flow} and {word}.", fix=fix)
    said.flow = word


def _value(word: str, words: list[str], *, wanted: str | None) -> str | None:
    """Return the value after `=`, else the next word unless it is an option; `--run` and `--help` take no value."""
    name, equals, value = word.partition("=")
    if equals:
        return value
    takes_none = name in OPTIONS and wanted is None
    return None if takes_none or not words or words[0].startswith("--") else words.pop(0)
