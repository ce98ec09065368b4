"""A pre-flight report as a notebook or a terminal shows it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from satflow_ext.kernel.result import STYLE
from satflow_ext.models import Preflight

MARKS = {"error": "✗", "warning": "!"}
SHOWN = 5
"""Of what travels, so many things are listed."""


@dataclass(frozen=True)
class CheckedFlow:
    """What would travel with a flow, and what speaks against it. Nothing was sent."""

    report: Preflight

    @property
    def ok(self) -> bool:
        """Whether it can be registered."""
        return all(finding.level != "error" for finding in self.report.findings)

    def rows(self) -> Iterator[tuple[str, str]]:
        """(word, what it says), top to bottom."""
        report = self.report
        yield "Flow", f"{report.flow}, {_size(report.size) if report.size is not None else 'cannot be pickled'}"
        yield (
            "By value",
            "\n".join(f"{_size(each.size):>10}  {each.where} ({each.type})" for each in report.captured[:SHOWN]),
        )
        yield "Modules", ", ".join(report.local_modules)
        yield "Packages", ", ".join(report.packages)
        if report.rehearsed is not None:
            yield "Loads", f"in a clean process, after {report.rehearsed:.1f} s"
        for finding in report.findings:
            text = f"{finding.where}: {finding.message}."
            yield f"{MARKS[finding.level]} {finding.kind}", f"{text}\n{finding.fix}" if finding.fix else text
        yield "Verdict", "can be registered" if self.ok else "cannot be registered"

    def __repr__(self) -> str:
        return "\n".join(f"{word + ':':15}{_indented(text)}" for word, text in self.rows() if text)

    def _repr_html_(self) -> str:
        return f"<table>{''.join(_html(word, text) for word, text in self.rows() if text)}</table>"


def _html(word: str, text: str) -> str:
    lines = "<br>".join(map(escape, text.split("\n")))
    return f'<tr><th style="{STYLE}">{escape(word)}</th><td style="{STYLE}">{lines}</td></tr>'


def _indented(text: str) -> str:
    return text.replace("\n", "\n" + " " * 15)


def _size(size: int) -> str:
    return f"{size / 1024**2:,.1f} MiB" if size >= 1024**2 / 10 else f"{size / 1024:,.1f} KiB"
