"""The options of a registration, in all interfaces."""

from __future__ import annotations

from collections.abc import Iterator

from reference_pages.markdown import capitalized, code, table
from satflow_ext.choices import RegistrationOption, list_options

HEAD = """# Options of a registration

The same options are available in the form, in Python (`satflow_ext.register`), in a cell (`%register_flow`) and in a terminal (`satflow register`).
Options of the executor are written next to them, such as `n_workers=2` or `--n-workers 2`: [executors](executors.md).

"""
FOOT = """
*own input*: the form has a special input for it, such as the table of parameters.
*Repeatable* options are given once for each value on a command line, and as a list, or as a dictionary for `NAME=VALUE`, in Python.
"""


def render_options() -> str:
    """Render the page."""
    heads = ("command line and magic", "Python", "form", "meaning")
    return HEAD + table(heads, map(_row, list_options())) + FOOT


def _row(option: RegistrationOption) -> Iterator[str]:
    yield code(f"{option.flag} {option.option.placeholder}")
    yield _python_argument(option)
    yield option.option.form.label if option.option.form else "own input"
    yield capitalized(option.purpose)


def _python_argument(option: RegistrationOption) -> str:
    if option.path[0] == "infrastructure":
        return code(f'infrastructure={{"{option.path[1]}": …}}')
    if option.path[0] == "executor":
        return code("executor")
    return code(option.attribute if option.path[0] == "schedules" and len(option.path) > 1 else option.path[0])
