"""The arguments of `satflow_ext.register`."""

from __future__ import annotations

import inspect
import re

import pytest

import satflow_ext
from satflow_ext.choices import RegistrationOption, list_options
from satflow_ext.errors import BadRequest


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"name": 3}, "name: it must be text"),
        ({"n_workers": object()}, r"options\.n_workers: input was not a valid JSON value"),
        ({"cron": 5}, "cron: it must be text"),
    ],
)
def test_an_argument_of_the_wrong_type_is_named(arguments, said):
    with pytest.raises(BadRequest, match=said):
        satflow_ext.register("main", **arguments)


def argument_of(option: RegistrationOption) -> str:
    """Return the name of an option's argument. A single schedule is several arguments, the infrastructure one."""
    return option.attribute if option.path[0] == "schedules" and len(option.path) > 1 else option.path[0]


def documented_arguments() -> dict[str, str]:
    """Return the arguments in the docstring of `register`, with their descriptions."""
    section = inspect.getdoc(satflow_ext.register).partition("Args:\n")[2].partition("\n\n")[0]
    return {name: " ".join(text.split()) for name, text in re.findall(r"^    (\w+): (.*(?:\n     .*)*)", section, re.M)}


def test_every_argument_is_documented_in_order():
    assert list(documented_arguments()) == list(inspect.signature(satflow_ext.register).parameters)


@pytest.mark.parametrize("option", list_options(), ids=lambda option: option.flag)
def test_every_option_is_an_argument_with_its_default_and_values(option):
    name = argument_of(option)
    parameter = inspect.signature(satflow_ext.register).parameters[name]
    assert parameter.kind is parameter.KEYWORD_ONLY
    if option.option.form is not None:
        assert parameter.default == option.default
    assert [value for value in option.values if f"`{value}`" not in documented_arguments()[name]] == []
