"""The pages of docs/reference: each module renders some of them from the code that they describe."""

from __future__ import annotations

from collections.abc import Callable

from reference_pages import command_line, errors, executors, magics, options, python_api, rest, settings

PAGES: dict[str, Callable[[], str]] = {
    "registration-options.md": options.render_options,
    "executors.md": executors.render_executors,
    "command-line.md": command_line.render_commands,
    "magics.md": magics.render_magics,
    "python.md": python_api.render_python,
    "settings.md": settings.render_settings,
    "rest.md": rest.render_rest,
    "errors.md": errors.render_errors,
}
"""Each page by its file name in docs/reference."""
