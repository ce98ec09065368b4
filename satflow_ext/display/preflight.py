"""Display of a pre-flight report in a notebook or a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape

from satflow_ext.display.size_format import size_text
from satflow_ext.models import Included, Preflight

MARKS = {"error": "✗", "warning": "!"}
MAX_LISTED = 5
"""Maximum number of captured objects and of files to list."""
Row = tuple[str, str]
STYLE = "text-align: left; vertical-align: top; padding: 2px 12px 2px 0; background: transparent"


@dataclass(frozen=True)
class CheckedFlow:
    """The pre-flight report on a flow. Nothing was sent."""

    report: Preflight

    @property
    def ok(self) -> bool:
        """Return whether the flow can be registered."""
        return not self.report.has_errors

    def rows(self) -> Iterator[tuple[str, str]]:
        """Return the (label, value) rows of the report, without empty rows."""
        return ((word, text) for word, text in self._all_rows() if text)

    def _all_rows(self) -> Iterator[tuple[str, str]]:
        report = self.report
        yield "Flow", f"{report.flow}, {size_text(report.size) if report.size is not None else 'cannot be pickled'}"
        yield (
            "Captured",
            "\n".join(
                f"{size_text(each.size):>10}  {each.where} ({each.type})" for each in report.captured[:MAX_LISTED]
            ),
        )
        yield "Files", "\n".join(_format_files(report.files))
        yield "Modules", ", ".join(report.local_modules)
        yield "Packages", ", ".join(report.packages)
        if report.rehearsed is not None:
            yield "Clean load", f"succeeded in a clean process after {report.rehearsed:.1f} s"
        for finding in report.findings:
            text = f"{finding.where}: {finding.message}."
            yield f"{MARKS[finding.level]} {finding.kind}", f"{text}\n{finding.fix}" if finding.fix else text
        yield "Result", "can be registered" if self.ok else "cannot be registered"

    def __repr__(self) -> str:
        return as_text(self.rows(), width=15)

    def _repr_html_(self) -> str:
        return as_html(self.rows())


def _format_files(files: tuple[Included, ...]) -> Iterator[str]:
    for each in files[:MAX_LISTED]:
        yield f"{size_text(each.size):>10}  {each.path}"
    if rest := files[MAX_LISTED:]:
        yield f"{size_text(sum(each.size for each in rest)):>10}  in {len(rest)} more"


def as_text(rows: Iterable[Row], *, width: int) -> str:
    """Format rows as text, with the values in a column that begins after `width` characters."""
    return "\n".join(f"{word + ':':{width}}{text}".replace("\n", "\n" + " " * width) for word, text in rows)


def as_html(rows: Iterable[Row]) -> str:
    """Format rows as an HTML table, with all text escaped."""
    return f"<table>{''.join(_row_html(word, text) for word, text in rows)}</table>"


def _row_html(word: str, text: str) -> str:
    lines = "<br>".join(map(escape, text.split("\n")))
    return f'<tr><th style="{STYLE}">{escape(word)}</th><td style="{STYLE}">{lines}</td></tr>'
