"""The words after `%register_flow`, read."""

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

    `value` is what follows it, None for a flag; `default` applies where the option is not given.
    """

    value: str | None
    purpose: str
    default: str | None = None
    repeated: bool = False
    type: Callable[[str], object] = str


def seconds(text: str) -> float:
    """Read a number of seconds, for argparse."""
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds, such as 3600") from None


SHARED = {
    "--name": Option("NAME", "the deployment's name (default: the flow's)"),
    "--executor": Option(
        "EXECUTOR",
        "how tasks run: flow (default: by the flow's own task runner), threads, processes, dask-local, …",
        AS_FLOW_SAYS,
    ),
    "--cron": Option("CRON", 'when it runs, five fields: "0 6 * * *"'),
    "--interval": Option("SECONDS", "or how often it runs", type=seconds),
    "--timezone": Option("ZONE", "the time zone of the schedule, such as Europe/Berlin (default: UTC)", "UTC"),
    "--param": Option("NAME=VALUE", "a parameter; JSON or text, by its type (repeatable)", repeated=True),
    "--work-pool": Option("POOL", "the Prefect work pool"),
    "--image": Option("IMAGE", "the container image of its runs, where the work pool starts containers"),
    "--cpu": Option("CORES", "how many cores a run gets there"),
    "--memory": Option("GIB", "and how much memory"),
    "--gpus": Option("NUMBER", "and how many GPUs"),
    "--env": Option("NAME=VALUE", "an environment variable of its runs, no credential (repeatable)", repeated=True),
    "--job-variable": Option(
        "NAME=VALUE", "what else the work pool takes, by its own name (repeatable)", repeated=True
    ),
    "--tag": Option("TAG", "a tag of the deployment (repeatable)", repeated=True),
    "--environment": Option("POLICY", "where a run's packages differ: warn (default), refuse or recreate", "warn"),
    "--missed-runs": Option(
        "RUNS", "which scheduled runs start that the local stack missed: last (default), all or none", "last"
    ),
    "--secret": Option("NAME", "a credential that the flow needs, found where it runs (repeatable)", repeated=True),
    "--include": Option("FILES", "data files that travel with it: data/*.csv, or a folder (repeatable)", repeated=True),
    "--check": Option(None, "only report what would travel and what speaks against it; nothing is sent"),
    "--overwrite": Option(None, "overwrite what somebody has changed in Prefect"),
}
"""The options that the command and the magic have in common."""

OPTIONS = {
    **SHARED,
    "--run": Option(None, "start a run at once"),
    "--help": Option(None, "show this help message and exit"),
}
"""The options of the magic."""

EXECUTOR_OPTIONS = "Anything else is an option of the executor: --n-workers 2 --worker-size large"
POLICIES: tuple[EnvironmentPolicy, ...] = get_args(EnvironmentPolicy)
MISSED: tuple[MissedRuns, ...] = get_args(MissedRuns)


@dataclass
class Words:
    """What was written: the flow, known options by name (lists of values), and options of the executor."""

    flow: str | None = None
    known: dict[str, list[Any]] = field(default_factory=dict)
    executor_options: JsonObject = field(default_factory=dict)

    def one(self, option: str) -> Any:
        """The value of an option that is given at most once."""
        return self.known[option][0] if option in self.known else None


def add_shared_options(parser: argparse.ArgumentParser, *, default: str | None = None) -> None:
    """Add the options that the command and the magic have in common.

    Args:
        parser: the command's or the magic's.
        default: `argparse.SUPPRESS` to leave out of the result what is not given.
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
    """Format what `%register_flow --help` prints."""
    return _parser().format_help()


def read(line: str) -> Words:
    """Read the line.

    Raises:
        BadRequest: it cannot be understood; the message says where.
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
    """Yield the options that are not the executor's, each with its value; note the flow and the executor's options."""
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
        options: of the executor; this one is added.
        option: as it was written.
        value: what it was given.
        known: the options that are not the executor's.

    Raises:
        BadRequest: it resembles a known option, cannot be one of an executor's, or was given before.
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
    """`["n=3", "name=x"]` → `{"n": "3", "name": "x"}`.

    Args:
        texts: what was written after an option.
        option: the option.
        what: each text gives a value.
        field: of the request that a mistake stands in.

    Raises:
        BadRequest: no `=` in one of them.
    """
    given = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise BadRequest(f"{text!r} gives no {what} a value.", fix=f"Write {option} name=value.", field=field)
        given[name] = value
    return given


def infrastructure(said: Mapping[str, Sequence[str]]) -> Infrastructure:
    """What the options say of the infrastructure of runs.

    Args:
        said: option → what it was given, for those that were.

    Raises:
        BadRequest: one of them cannot be read.
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
    """The policy that a text names.

    Raises:
        BadRequest: it names none.
    """
    for policy in POLICIES:
        if text == policy:
            return policy
    fix = f"Choose one of {', '.join(POLICIES)}."
    raise BadRequest(f"No environment policy is called {text!r}.", fix=fix, field="environment")


def missed_runs(text: str) -> MissedRuns:
    """The choice of missed runs that a text names.

    Raises:
        BadRequest: it names none.
    """
    for choice in MISSED:
        if text == choice:
            return choice
    fix = f"Choose one of {', '.join(MISSED)}."
    raise BadRequest(f"No choice of missed runs is called {text!r}.", fix=fix, field="missed_runs")


def secret_names(names: Iterable[str]) -> tuple[str, ...]:
    """Names of credentials, each once.

    Raises:
        InvalidSecretName: one of them cannot be the name of an environment variable.
    """
    once = tuple(dict.fromkeys([names] if isinstance(names, str) else names))
    for name in once:
        if not re.fullmatch(VARIABLE_NAME, name):
            raise InvalidSecretName
    return once


def split(line: str) -> list[str]:
    """The words of a magic's line, as a shell would split them.

    Raises:
        BadRequest: a quote is never closed.
    """
    try:
        return shlex.split(line)
    except ValueError as error:
        raise BadRequest(f"Cannot read the line: {error}.", fix="Put the whole value between quotes.") from None


def _take_flow(said: Words, word: str) -> None:
    if said.flow is not None:
        fix = f"Options start with two dashes; a value with spaces needs quotes: {word!r} stands alone."
        raise BadRequest(f"Two flows are named: {said.flow} and {word}.", fix=fix)
    said.flow = word


def _value(word: str, words: list[str], *, wanted: str | None) -> str | None:
    """The value after `=`, else the next word unless that is an option; `--run` and `--help` take none."""
    name, equals, value = word.partition("=")
    if equals:
        return value
    takes_none = name in OPTIONS and wanted is None
    return None if takes_none or not words or words[0].startswith("--") else words.pop(0)
