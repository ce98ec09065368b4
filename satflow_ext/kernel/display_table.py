"""Tables of labels and values: text for a terminal, HTML for a notebook."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

Row = tuple[str, str]
STYLE = "text-align: left; vertical-align: top; padding: 2px 12px 2px 0; background: transparent"


def as_text(rows: Iterable[Row], *, width: int) -> str:
    """Format rows as text, with the values in a column that begins after `width` characters."""
    return "\n".join(f"{word + ':':{width}}{text}".replace("\n", "\n" + " " * width) for word, text in rows)


def as_html(rows: Iterable[Row]) -> str:
    """Format rows as an HTML table, with all text escaped."""
    return f"<table>{''.join(_row_html(word, text) for word, text in rows)}</table>"


def _row_html(word: str, text: str) -> str:
    lines = "<br>".join(map(escape, text.split("\n")))
    return f'<tr><th style="{STYLE}">{escape(word)}</th><td style="{STYLE}">{lines}</td></tr>'
