"""The table of registration options, collected from the fields of `models.Registration`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel

from satflow_ext.models import Option, Registration

InputKind = Literal["text", "number", "boolean", "paragraph", "lines", "words", "enumeration"]
INPUT_KINDS: dict[type, InputKind] = {str: "text", int: "number", float: "number", bool: "boolean"}


@dataclass(frozen=True)
class RegistrationOption:
    """An option of a registration.

    Args:
        path: path of its field in the registration, such as `("schedules", "cron")`.
        option: how it is written.
        annotation: type of the field.
        default: default value of the field.
    """

    path: tuple[str, ...]
    option: Option
    annotation: Any
    default: Any

    @property
    def flag(self) -> str:
        """The option as it is written."""
        return self.option.flag

    @property
    def attribute(self) -> str:
        """The attribute of the parsed arguments that has its value."""
        return self.flag.removeprefix("--").replace("-", "_")

    @property
    def is_mapping(self) -> bool:
        """True if each value is an assignment `NAME=VALUE`."""
        return get_origin(self.annotation) is dict

    @property
    def is_repeatable(self) -> bool:
        """True if the option may be given more than once."""
        return get_origin(self.annotation) in (dict, tuple)

    @property
    def values(self) -> tuple[str, ...]:
        """All possible values, empty if there is no such list."""
        return tuple(each for each in get_args(self.annotation) if isinstance(each, str))

    @property
    def value_type(self) -> Any:
        """The type of one value of an option that is not repeatable, such as `int` for `int | None`."""
        (kind,) = set(get_args(self.annotation) or [self.annotation]) - {NoneType}
        return kind

    @property
    def is_number(self) -> bool:
        """True if its value is a number."""
        return not self.is_repeatable and not self.values and self.value_type in (int, float)

    @property
    def purpose(self) -> str:
        """The purpose for help texts."""
        return f"{self.option.purpose} (repeatable)" if self.is_repeatable else self.option.purpose

    @property
    def input_kind(self) -> InputKind:
        """The kind of input with which the form shows its value.

        Raises:
            KeyError: the form has no input for values of this type without a widget of its own.
        """
        if get_origin(self.annotation) is tuple:
            return "words" if self.option.form and self.option.form.has_commas else "lines"
        if self.values:
            return "enumeration"
        if self.option.form and self.option.form.is_multiline:
            return "paragraph"
        return INPUT_KINDS[self.value_type]


@cache
def list_options() -> tuple[RegistrationOption, ...]:
    """Return the options of a registration in the order of their fields."""
    by_flag: dict[str, RegistrationOption] = {}
    for each in _walk(Registration, ()):
        by_flag.setdefault(each.flag, each)  # the time zone is a field of two kinds of schedules
    return tuple(by_flag.values())


def find_option(path: tuple[str, ...]) -> RegistrationOption | None:
    """Return the option of a field; None if the field has no option."""
    return next((each for each in list_options() if each.path == path), None)


def _walk(model: type[BaseModel], path: tuple[str, ...]) -> Iterator[RegistrationOption]:
    for name, field in model.model_fields.items():
        option = next((each for each in field.metadata if isinstance(each, Option)), None)
        if option is not None:
            yield RegistrationOption((*path, name), option, field.annotation, field.default)
        for nested in _find_models(field.annotation):
            yield from _walk(nested, (*path, name))


def _find_models(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the models in the type of a field: the field's own, or those of a union or of a tuple's items."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for nested in get_args(annotation):
        yield from _find_models(nested)
