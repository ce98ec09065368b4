"""Write docs/what-prefect-sees.md from satflow_ext/redaction/published.py.

With --check, write nothing and fail when the file is not what it should be.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from satflow_ext.redaction.facts import FACTS, LEVELS
from satflow_ext.redaction.published import CALLS, Call

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "what-prefect-sees.md"
HEAD = """<!-- Generated from satflow_ext/redaction/published.py by scripts/what-prefect-sees. Do not edit. -->

# What Prefect sees

A flow's code, its data and the values of its secrets stay in your store and on your machines.
This page lists every field that reaches the Prefect API, and what of yours it can hold.
A test records every byte that SatFlow, a stock Prefect worker and its flow runs send to a real Prefect server, while texts of its own stand wherever something could leak.
It fails when one of them arrives where this page does not say so, as it is or encoded in one of a dozen ways, when a field is sent that is missing here, and when one of this page is never sent.

## How much is told

Where flows run, `tell_prefect` in `satflow.toml` (or `SATFLOW_TELL_PREFECT`) is one of

| | |
|---|---|
| `"types"` | of exceptions only their types and where they were raised |
| `"messages"` | also what exceptions say. **The default for every Prefect API but the local stack's** |
| `"everything"` | also the lines of code in tracebacks, arguments of nested flows, folders and addresses, as Prefect sends them by itself. The default for the local stack's Prefect server, which is on your machine |

What is not told to Prefect is not lost: the console of a flow run, which its Prefect worker shows, has exceptions whole.
A nested flow gets its arguments as they are; `flow_run.parameters`, which its hooks are handed, is what Prefect was told.

## What Prefect can learn

| what | told at | yours to choose |
|---|---|---|
"""
NEVER = """
## What Prefect never learns

Code, comments and docstrings (but for the lines in tracebacks, at `"everything"`); values of variables, closures and modules; defaults of parameters, their descriptions and examples; text of other cells; data files and their names; names and folders of notebooks; git branches and authors; what tasks and flows are given and return; what is printed without `log_prints` or logged with other loggers; values of declared secrets and of environment variables; installed packages that do not matter to the run; a store's path and credential.

Not promised:

- What your flow itself sends: it can call Prefect, or anything else, with whatever it has. A secret that is changed before it is logged is not recognised ([secrets.md](secrets.md)).
- What a Prefect worker logs of failures of its own, before or after a flow run. It is a stock one.
- Workers of a Dask cluster that somebody else runs (`dask-address`): tasks there tell what stock Prefect tells, and the worker's name.
- Whom connections come from: addresses of machines, and times.

## Every field

`*` stands for anything. What has no words in the second column is Prefect's own bookkeeping: ids, times, kinds of states, retries, versions, and hashes with which it tells tasks and results apart (of a task's source and of its arguments).
"""
WHILE = {
    "registering": "Registering, and starting runs",
    "running": "A flow run",
    "Prefect worker": "The Prefect worker",
    "watching": "Watching runs, which only asks",
}


def page() -> str:
    """The whole page."""
    facts = "".join(f"| {each.what} | {_told_at(each.since)} | {each.choice} |\n" for each in FACTS.values())
    parts = "".join(f"\n### {title}\n{''.join(map(_call, _calls(who)))}" for who, title in WHILE.items())
    return f"{HEAD}{facts}{NEVER}{parts}"


def _told_at(since: str) -> str:
    return "always" if since == LEVELS[0] else " and ".join(f"`{level}`" for level in LEVELS if _from(level, since))


def _from(level: str, since: str) -> bool:
    order = [str(each) for each in LEVELS]
    return order.index(level) >= order.index(since)


def _calls(who: str) -> Iterator[Call]:
    return (each for each in CALLS if each.who == who)


def _call(call: Call) -> str:
    title = "Every call" if call.call == "any" else f"`{call.call}`{', seldom' if call.seldom else ''}"
    held = "".join(f"| `{field}` | {facts} |\n" for field, facts in call.holds.items())
    plain = f"| {', '.join(f'`{field}`' for field in call.plain.split())} | |\n" if call.plain else ""
    return f"\n{title}\n\n| field | may hold |\n|---|---|\n{held}{plain}"


def main() -> int:
    """Write, or compare."""
    text = page()
    if "--check" not in sys.argv[1:]:
        TARGET.write_text(text)
        return 0
    if not TARGET.exists() or TARGET.read_text() != text:
        print(f"{TARGET.relative_to(ROOT)} is not what it should be: run scripts/what-prefect-sees")  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
