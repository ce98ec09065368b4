"""The parser of registration options: one for `satflow register` and `%register_flow`."""

from __future__ import annotations

import argparse
import difflib
import re
import shlex
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn, get_args

from pydantic import JsonValue, ValidationError

from satflow_ext.arguments import Parser
from satflow_ext.choices.automation_text import parse_notifications, parse_triggers
from satflow_ext.choices.schedule_text import list_texts, parse_schedules
from satflow_ext.choices.table import RegistrationOption, find_option, list_options
from satflow_ext.errors import BadRequest, InvalidInfrastructure, InvalidSecretName
from satflow_ext.models import (
    FLOW_EXECUTOR,
    VARIABLE_NAME_PATTERN,
    ExecutorChoice,
    Infrastructure,
    JsonObject,
    WrittenRegistration,
)
from satflow_ext.parameter_values.text import parse_json_or_text
from satflow_ext.validation_errors import convert_first_error

EXECUTOR_OPTIONS_HELP = "Anything else is an option of the executor: --n-workers 2 --worker-size large"

ACTIONS = {
    "--check": "only report the captured objects and problems; nothing is sent",
    "--overwrite": "overwrite changes that were made in Prefect",
}
"""Flags that are not choices of a registration, but of the action."""


class LineParser(Parser):
    """A parser for the line of a magic: it neither ends the process nor prints."""

    def error(self, message: str) -> NoReturn:
        """Report an error in the line.

        Raises:
            BadRequest: always.
        """
        magic = self.prog.split()[0]
        raise BadRequest(f"Cannot read the line: {message}.", fix=f"See {magic} --help.")


def split_line(line: str) -> list[str]:
    """Split the line of a magic into words, as a shell would.

    Raises:
        BadRequest: a quote is never closed.
    """
    try:
        return shlex.split(line)
    except ValueError as error:
        raise BadRequest(f"Cannot read the line: {error}.", fix="Put the whole value between quotes.") from None


def add_registration_options(parser: Parser) -> None:
    """Add the options of a registration; all others are options of its executor.

    The value of an option that is not given is None, or an empty list if it is repeatable.
    """
    for each in list_options():
        parser.add_argument(
            each.flag,
            action="append" if each.is_repeatable else "store",
            metavar=each.option.placeholder,
            help=each.purpose,
            type=_number_parser(each) if each.annotation is float else str,
            default=[] if each.is_repeatable else None,
        )
    for flag, purpose in ACTIONS.items():
        parser.add_argument(flag, action="store_true", help=purpose)
    parser.separates_unknown_options = True


def _number_parser(option: RegistrationOption) -> Any:
    def parse_number(text: str) -> float:
        try:
            return float(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is not {option.option.noun}") from None

    return parse_number


def parse_registration(
    args: argparse.Namespace, executor_words: Sequence[str], known: Iterable[str]
) -> WrittenRegistration:
    """Build a registration from parsed arguments.

    Args:
        args: the parsed arguments.
        executor_words: the arguments that the parser did not know: the options of the executor.
        known: the options of the parser, to recognize misspelled ones.

    Raises:
        BadRequest: options contradict each other, or the value of one is not valid.
    """
    given = {
        each.path: _convert(each, value)
        for each in list_options()
        if (value := getattr(args, each.attribute)) not in (None, [], "")
    }
    fields = {path[0]: value for path, value in given.items() if len(path) == 1}
    texts = fields.pop("parameters", {})
    executor = given.get(("executor", "name"), FLOW_EXECUTOR)
    infrastructure = {path[1]: value for path, value in given.items() if path[0] == "infrastructure"}
    schedules = parse_schedules(args.schedule, args.cron, args.interval, args.timezone)
    fields |= {
        "executor": ExecutorChoice(name=executor, options=parse_executor_options(executor_words, known)),
        "schedules": tuple(each.schedule for each in schedules),
        "schedule_texts": list_texts(schedules),
        "notify": parse_notifications(args.notify),
        "trigger": parse_triggers(args.trigger),
        "infrastructure": _build_infrastructure(infrastructure),
        "parameter_texts": texts,
    }
    try:
        return WrittenRegistration.model_validate(fields)
    except ValidationError as error:
        raise _to_option_error(convert_first_error(error)) from None


def _to_option_error(mistake: BadRequest) -> BadRequest:
    """Name the option instead of the field."""
    option = find_option((mistake.field or "",))
    if option is None:
        return mistake
    return BadRequest(f"{option.flag}: {mistake.message.partition(': ')[2]}", fix=mistake.fix, field=mistake.field)


def _convert(option: RegistrationOption, value: Any) -> Any:
    if option.is_mapping:
        field = ".".join(option.path)
        texts = parse_assignments(value, option.flag, option.option.noun, field)
        takes_json = option.path != ("parameters",) and get_args(option.annotation)[1] is not str
        return {name: parse_json_or_text(text) for name, text in texts.items()} if takes_json else texts
    if option.path == ("secrets",):
        return parse_secret_names(value)
    if option.is_repeatable:
        return tuple(value)
    if option.is_number:
        return _to_number(option, value)
    return parse_choice(option.path[0], value) if option.values else value


def _to_number(option: RegistrationOption, value: Any) -> Any:
    """Convert text to a number. Other text stays: the validation of the registration refuses it."""
    try:
        return option.value_type(value)
    except ValueError:
        return value


def _build_infrastructure(fields: dict[str, object]) -> Infrastructure:
    try:
        return Infrastructure.model_validate(fields)
    except ValidationError as error:
        mistake = convert_first_error(error)
        raise InvalidInfrastructure(f"--{mistake.message}", field=f"infrastructure.{mistake.field}") from None


def parse_executor_options(words: Iterable[str], known: Iterable[str]) -> JsonObject:
    """Convert the options of an executor: `["--n-workers=2", "--flag"]` → `{"n_workers": 2, "flag": True}`.

    Args:
        words: the options, each with its value.
        known: the options that do not belong to the executor.

    Raises:
        BadRequest: an option resembles a known one, cannot be an option of an executor, or is given twice.
    """
    options: JsonObject = {}
    for word in words:
        option, equals, text = word.partition("=")
        value: JsonValue = parse_json_or_text(text) if equals else True
        near = difflib.get_close_matches(option, list(known), n=1, cutoff=0.8)
        if near or not option.startswith("--"):
            fix = f"Did you mean {near[0]}?" if near else "Options start with two dashes."
            raise BadRequest(f"There is no option {option}.", fix=fix)
        name = option[2:].replace("-", "_")
        if name in options:
            raise BadRequest(f"{option} is given twice.", fix="Keep one of them.")
        options[name] = value
    return options


def require_values(words: Sequence[str]) -> None:
    """Refuse executor options without a value, which only the line of a magic takes as True.

    Raises:
        BadRequest: an option has no value.
    """
    if any(word.startswith("--") and "=" not in word for word in words):
        raise BadRequest(f"Cannot read {' '.join(words)!r}.", fix="Executor options come in pairs: --n-workers 2.")


def parse_choice(field: str, text: str) -> str:
    """Return a value of a field that has a list of possible values, such as the environment policy.

    Raises:
        BadRequest: the value is not in the list.
    """
    option = find_option((field,))
    assert option is not None
    if text in option.values:
        return text
    fix = f"Choose one of {', '.join(option.values)}."
    raise BadRequest(f"{text!r} is not {option.option.noun}.", fix=fix, field=field)


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


def parse_assignments(texts: Iterable[str], option: str, noun: str, field: str) -> dict[str, str]:
    """Convert `["n=3", "name=x"]` to `{"n": "3", "name": "x"}`.

    Args:
        texts: the values of an option.
        option: the option.
        noun: a noun for the thing that the option sets, for the message.
        field: the field of the request that the error names.

    Raises:
        BadRequest: no `=` in one of them.
    """
    given = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise BadRequest(
                f"The {noun} {text!r} lacks a name or a value.", fix=f"Write {option} name=value.", field=field
            )
        given[name] = value
    return given
