"""Error messages for invalid options of an executor."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from pydantic import ValidationError

from satflow_ext.errors import InvalidExecutorOption
from satflow_ext.validation_errors import describe_error, is_standard_error

if TYPE_CHECKING:
    from satflow_ext.executors.executor import ExecutorOptions


def to_option_error(executor: str, options: type[ExecutorOptions], error: ValidationError) -> InvalidExecutorOption:
    """Convert the first validation error to an error for the user.

    Args:
        executor: name of the executor.
        options: the model of its options.
        error: pydantic's error.
    """
    first = error.errors(include_url=False)[0]
    if not first["loc"]:
        return InvalidExecutorOption(
            f"The options of executor {executor!r} contradict each other: {describe_error(first)}.",
            field="executor.options",
        )
    option = str(first["loc"][0])
    if first["type"] == "extra_forbidden":
        return _unknown_option(executor, option, options)
    purpose, field = options.model_fields[option].description, f"executor.options.{option}"
    if first["type"] == "missing":
        return InvalidExecutorOption(
            f"The executor {executor!r} needs the option {option!r}.", fix=purpose, field=field
        )
    return InvalidExecutorOption(
        f"The option {option!r} of executor {executor!r} is invalid: {describe_error(first)}.",
        fix=purpose if is_standard_error(first) else None,  # messages of our own validators need no fix
        field=field,
    )


def _unknown_option(executor: str, option: str, options: type[ExecutorOptions]) -> InvalidExecutorOption:
    known = (
        f"Its options are {', '.join(options.model_fields)}."
        if options.model_fields
        else "Choose an executor that has it."
    )
    near = get_close_matches(option, options.model_fields, n=1)
    return InvalidExecutorOption(
        f"The executor {executor!r} has no option {option!r}.",
        fix=f"Did you mean {near[0]!r}? {known}" if near else known,
        field=f"executor.options.{option}",
    )
