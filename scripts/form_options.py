"""The options of a registration that the browser's form shows without a widget of their own, as TypeScript."""

from __future__ import annotations

import json
from collections.abc import Iterator

from pydantic_core import to_jsonable_python

from satflow_ext.choices import RegistrationOption, list_options
from satflow_ext.models import FormInput

TEMPLATE = """// Generated from satflow_ext/models.py by scripts/contract. Do not edit.

import type {{ IFormOption }} from './formOption';

/** The request fields of the options below. */
export type FormOptionField = {fields};

/** The options of a registration that the form shows without a widget of their own, in the order of `%register_flow`. */
export const FORM_OPTIONS: readonly IFormOption<FormOptionField>[] = [
{options}
];
"""


def render_form_options() -> str:
    """Render src/register/_options.ts, before prettier."""
    options = [(each, each.option.form) for each in list_options() if each.option.form is not None]
    return TEMPLATE.format(
        fields=" | ".join(json.dumps(".".join(each.path)) for each, _ in options),
        options=",\n".join(render_option(each, form) for each, form in options),
    )


def render_option(option: RegistrationOption, form: FormInput) -> str:
    """Render one option. Its texts are functions of the translator, because translations are found by the literals."""
    properties = {
        "field": literal(".".join(option.path)),
        "flag": literal(option.flag),
        "kind": literal(option.input_kind),
        "default": literal(option.default),
        "isAdvanced": literal(form.is_advanced),
        "position": literal(form.position),
        "label": translated(form.label),
        **({"hint": translated(form.hint)} if form.hint else {}),
        **({"values": f"[{', '.join(render_values(option, form))}]"} if option.values else {}),
    }
    return f"{{{', '.join(f'{name}: {text}' for name, text in properties.items())}}}"


def render_values(option: RegistrationOption, form: FormInput) -> Iterator[str]:
    """Render the values of an enumeration."""
    for value, hint in zip(option.values, form.value_hints, strict=True):
        label = translated(f"{value.replace('_', ' ').capitalize()}:")
        yield f"{{value: {literal(value)}, label: {label}, hint: {translated(hint)}}}"


def literal(value: object) -> str:
    """Render a value."""
    return json.dumps(to_jsonable_python(value), ensure_ascii=False)


def translated(text: str) -> str:
    """Render a text in the user's language."""
    return f"trans => trans.__({literal(text)})"
