"""The table of docs/stores.md: `python -m tests.conformance.results` runs all checks on all three stores and writes it."""

from __future__ import annotations

import asyncio
import re
import tempfile
from contextlib import ExitStack
from pathlib import Path

from satflow_ext.conformance import SuiteReport, run_checks
from satflow_ext.conformance.suite import CHECKS
from tests.conformance import stores

NAMES = {"built-in": stores.builtin, "nginx": stores.nginx, "S3 (moto)": stores.s3}
BETWEEN = re.compile(r"(?<=<!-- results -->\n).*(?=<!-- end of results -->)", re.DOTALL)


def of_all(folder: Path) -> dict[str, SuiteReport]:
    """Store → how all checks went, all stores at once: most of the time is waiting."""

    async def together():
        return await asyncio.gather(*(run_checks(store, largest=1024 * 1024) for store in running))

    with ExitStack() as exits:
        running = []
        for name, start in NAMES.items():
            (place := folder / name.replace(" ", "-")).mkdir()
            running.append(exits.enter_context(start(place)))
        return dict(zip(NAMES, asyncio.run(together()), strict=True))


def table(reports: dict[str, SuiteReport]) -> str:
    """The table of the page."""
    names = list(reports)
    lines = [f"| check | expected behavior | {' | '.join(names)} |", f"|---|---|{'---|' * len(names)}"]
    for at, check in enumerate(CHECKS):
        marks = [_mark(reports[name].results[at].outcome, check.required) for name in names]
        need = "required" if check.required else "recommended"
        lines.append(f"| `{check.name}` ({need}) | {check.text} | {' | '.join(marks)} |")
    for required, word in ((True, "required"), (False, "recommended")):
        sums = [_sum(reports[name], required=required) for name in names]
        lines.append(f"| **all {word}** | | {' | '.join(sums)} |")
    return "\n".join(lines) + "\n"


def _mark(outcome: str, required: bool) -> str:
    if outcome == "fail":
        return "**no**" if required else "*no*"
    return "yes" if outcome == "pass" else "n/a"


def _sum(report: SuiteReport, *, required: bool) -> str:
    found = [each.outcome for each in report.results if each.check.required == required]
    return f"{found.count('pass')} of {len(found) - found.count('not applicable')}"


def documented() -> str:
    """The table as it stands in the page."""
    found = BETWEEN.search(stores.PAGE.read_text())
    assert found
    return found[0]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        made = table(of_all(Path(temporary)))
    stores.PAGE.write_text(BETWEEN.sub(lambda _: made, stores.PAGE.read_text()))
