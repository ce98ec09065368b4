"""The exceptions, from their classes."""

from __future__ import annotations

from collections.abc import Iterator

from reference_pages.markdown import code, table
from satflow_ext import errors

HEAD = """# Errors

Every error of SatFlow is a subclass of `satflow_ext.errors.SatflowError`.
Its message names the failure and the affected object; `fix` is the next step, and `field` the option with the mistake.
A cell and a terminal show both on one line. The Jupyter server replies with the status below and an `ErrorBody` ([rest.md](rest.md)).
What to do about the most common ones: [troubleshooting.md](../troubleshooting.md).

"""


def render_errors() -> str:
    """Render the page."""
    rows = list(_rows(errors.SatflowError, 0))
    return HEAD + table(("error", "status", "meaning"), rows)


def _rows(error: type[errors.SatflowError], depth: int) -> Iterator[tuple[str, str, str]]:
    indent = "&emsp;" * depth
    yield f"{indent}{code(error.__name__)}", str(error.status), (error.__doc__ or "").split("\n")[0]
    for each in error.__subclasses__():
        if each.__module__ == errors.__name__:
            yield from _rows(each, depth + 1)
