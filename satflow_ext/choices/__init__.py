"""The options of a registration: what a user may choose, on a command line, in a magic, in Python and in the form.

Each option is declared once, as the metadata of its field in `models.Registration`. The parser, the help texts, the completion,
the messages and the inputs of the browser's form are derived from these fields.
"""

from __future__ import annotations

from satflow_ext.choices.automation_text import parse_notifications, parse_triggers
from satflow_ext.choices.parser import (
    EXECUTOR_OPTIONS_HELP,
    LineParser,
    add_registration_options,
    parse_assignments,
    parse_choice,
    parse_registration,
    parse_secret_names,
    require_values,
    split_line,
)
from satflow_ext.choices.schedule_text import WrittenSchedule, parse_schedules
from satflow_ext.choices.table import RegistrationOption, list_options

__all__ = [
    "EXECUTOR_OPTIONS_HELP",
    "LineParser",
    "RegistrationOption",
    "WrittenSchedule",
    "add_registration_options",
    "list_options",
    "parse_assignments",
    "parse_choice",
    "parse_notifications",
    "parse_registration",
    "parse_schedules",
    "parse_secret_names",
    "parse_triggers",
    "require_values",
    "split_line",
]
