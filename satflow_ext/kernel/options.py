"""The words after `%register_flow`, read."""

from __future__ import annotations

import difflib
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, get_args

from pydantic import JsonValue, ValidationError

from satflow_ext.errors import BadRequest, InvalidInfrastructure, InvalidSecretName
from satflow_ext.mistakes import first_mistake
from satflow_ext.models import VARIABLE_NAME, EnvironmentPolicy, Infrastructure, JsonObject
from satflow_ext.parameter_values.text import from_text


class Option(NamedTuple):
    """An option that every executor has in common: what follows it, and what it is for."""

    value: str | None
    purpose: str


OPTIONS = {
    "--name": Option("NAME", "the deployment's name (default: the flow's)"),
    "--executor": Option("EXECUTOR", "how tasks run: threads, processes, dask-local, dask-cluster, dask-client, …"),
    "--cron": Option("CRON", 'when it runs, five fields: "0 6 * * *"'),
    "--interval": Option("SECONDS", "or how often it runs"),
    "--timezone": Option("ZONE", "the time zone of the schedule, such as Europe/Berlin (default: UTC)"),
    "--param": Option("NAME=VALUE", "a parameter; JSON or text, by its type; repeat it for more"),
    "--work-pool": Option("POOL", "the Prefect work pool"),
    "--image": Option("IMAGE", "the container image of its runs, where the work pool starts containers"),
    "--cpu": Option("CORES", "how many cores a run gets there"),
    "--memory": Option("GIB", "and how much memory"),
    "--gpus": Option("NUMBER", "and how many GPUs"),
    "--env": Option("NAME=VALUE", "an environment variable of its runs, no credential; repeat it for more"),
    "--job-variable": Option("NAME=VALUE", "what else the work pool takes, by its own name; repeat it for more"),
    "--tag": Option("TAG", "a tag; repeat it for more"),
    "--environment": Option("POLICY", "where a run's packages differ: warn (default), refuse or recreate"),
    "--secret": Option("NAME", "a credential that the flow needs, found where it runs; repeat it for more"),
    "--include": Option("FILES", "data files that travel with it: data/*.csv, or a folder; repeat it for more"),
    "--check": Option(None, "only say what would travel, and what speaks against it"),
    "--run": Option(None, "start a run at once"),
    "--overwrite": Option(None, "overwrite what somebody has changed in Prefect"),
    "--help": Option(None, "this text, also -h"),
}
POLICIES: tuple[EnvironmentPolicy, ...] = get_args(EnvironmentPolicy)
REPEATED = frozenset({"--param", "--env", "--job-variable", "--tag", "--secret", "--include"})


@dataclass
class Words:
    """What was written: the flow, known options by name (lists of texts), and options of the executor."""

    flow: str | None = None
    known: dict[str, list[str]] = field(default_factory=dict)
    executor_options: JsonObject = field(default_factory=dict)

    def one(self, option: str) -> str | None:
        """The value of an option that is given at most once."""
        return self.known[option][0] if option in self.known else None


def help_text() -> str:
    """What `%register_flow --help` prints."""
    rows = [(f"{name} {option.value or ''}".strip(), option.purpose) for name, option in OPTIONS.items()]
    width = max(len(name) for name, _ in rows)
    listed = "\n".join(f"  {name:{width}}  {purpose}" for name, purpose in rows)
    return (
        "%register_flow FLOW [options]\n\nRegister a flow of this notebook as a Prefect deployment.\n\n"
        f"{listed}\n\nAnything else is an option of the executor: --n-workers 2 --worker-size large\n\n"
        'Example:\n  %register_flow main --executor dask-local --n-workers 2 --cron "0 6 * * *" --timezone Europe/Berlin'
    )


def read(line: str) -> Words:
    """Read the line.

    Raises:
        BadRequest: it cannot be understood; the message says where.
    """
    words = split(line)
    said = Words()
    while words:
        word = words.pop(0)
        word = "--help" if word == "-h" else word
        if not word.startswith("-"):
            _take_flow(said, word)
        elif (name := word.partition("=")[0]) in OPTIONS:
            _take_known(said, name, _value(word, words, wanted=OPTIONS[name].value))
        else:
            value = from_text(_value(word, words, wanted=None) or "true")
            add_executor_option(said.executor_options, name, value, OPTIONS)
    return said


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


def _take_known(said: Words, name: str, value: str | None) -> None:
    if name in said.known and name not in REPEATED:
        raise BadRequest(f"{name} is given twice.", fix="Keep one of them.")
    if OPTIONS[name].value is not None and value is None:
        raise BadRequest(f"{name} needs a value.", fix=f"Write {name} {OPTIONS[name].value}.")
    said.known.setdefault(name, []).append(value or "")


def _value(word: str, words: list[str], *, wanted: str | None) -> str | None:
    """The value after `=`, else the next word unless that is an option; `--run` and `--help` take none."""
    name, equals, value = word.partition("=")
    if equals:
        return value
    takes_none = name in OPTIONS and wanted is None
    return None if takes_none or not words or words[0].startswith("--") else words.pop(0)
