"""Write docs/what-prefect-sees.md from satflow_ext/redaction/published.py.

With --check, write nothing, and fail if the file differs from the generated text.
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
This page lists every field that reaches the Prefect API, and which of your data it can contain.
A test puts a unique text in every place that could leak, and records every byte that SatFlow, a stock Prefect worker and its flow runs send to a real Prefect server.
It fails if one of these texts arrives, plain or encoded in one of a dozen ways, in a field for which this page does not list it, if a field is sent that this page does not list, and if a field that this page lists is never sent.

## Redaction policy

The setting `tell_prefect` in `satflow.toml` (or `SATFLOW_TELL_PREFECT`) on the machine where flows run is one of:

| value | data sent to the Prefect API |
|---|---|
| `"types"` | of exceptions, only their types and where they were raised |
| `"messages"` | also the messages of exceptions. **The default for every Prefect API but the local stack's** |
| `"everything"` | also the lines of code in tracebacks, arguments of nested flows, folders and addresses, as stock Prefect sends them. The default for the local stack's Prefect server, which is on your machine |

Redacted data is not lost: the console of a flow run, which its Prefect worker shows, has the complete exceptions.
A nested flow receives its arguments unchanged; `flow_run.parameters`, which its hooks receive, contains the redacted values.

## Data that Prefect can receive

| data | sent at | your choice |
|---|---|---|
"""
NEVER = """
## Data that Prefect never receives

Code, comments and docstrings (except the lines in tracebacks, at `"everything"`); values of variables, closures and modules; defaults of parameters, their descriptions and examples; text of other cells; data files and their names; names and folders of notebooks; git branches and authors; arguments and results of tasks and flows; output of `print` without `log_prints`, and of other loggers; values of declared secrets and of environment variables; installed packages that are not relevant to the run; a store's path and credential.

Not covered:

- Data that your flow itself sends: it can call Prefect, or any other service, with any data. A secret that is changed before it is logged is not recognized ([secrets.md](secrets.md)).
- Log lines of a Prefect worker about its own failures, before or after a flow run. It is a stock Prefect worker.
- Workers of a Dask cluster that is not managed by SatFlow (`dask-address`): tasks there send what stock Prefect sends, and the worker's name.
- The origin of connections: addresses of machines, and times.

## Every field

`*` matches any text. Fields without an entry in the second column are Prefect's own bookkeeping: ids, times, kinds of states, retries, versions, and hashes that distinguish tasks and results (of a task's source and of its arguments).
"""
WHILE = {
    "registering": "Registering flows, and starting runs",
    "running": "A flow run",
    "Prefect worker": "The Prefect worker",
    "watching": "Watching runs, which only reads",
}


def page() -> str:
    """Build the whole page."""
    facts = "".join(f"| {each.what} | {_told_at(each.lowest_level)} | {each.choice} |\n" for each in FACTS.values())
    parts = "".join(f"\n### {title}\n{''.join(map(_call, _calls(who)))}" for who, title in WHILE.items())
    return f"{HEAD}{facts}{NEVER}{parts}"


def _told_at(since: str) -> str:
    return "always" if since == LEVELS[0] else " and ".join(f"`{level}`" for level in LEVELS if _from(level, since))


def _from(level: str, since: str) -> bool:
    order = [str(each) for each in LEVELS]
    return order.index(level) >= order.index(since)


def _calls(who: str) -> Iterator[Call]:
    return (each for each in CALLS if each.activity == who)


def _call(call: Call) -> str:
    title = "Every call" if call.call == "any" else f"`{call.call}`{', rarely' if call.is_rare else ''}"
    held = "".join(f"| `{field}` | {facts} |\n" for field, facts in call.facts_by_field.items())
    plain = f"| {', '.join(f'`{field}`' for field in call.plain_fields.split())} | |\n" if call.plain_fields else ""
    return f"\n{title}\n\n| field | may contain |\n|---|---|\n{held}{plain}"


def main() -> int:
    """Write the page, or compare it with the file."""
    text = page()
    if "--check" not in sys.argv[1:]:
        TARGET.write_text(text)
        return 0
    if not TARGET.exists() or TARGET.read_text() != text:
        print(f"{TARGET.relative_to(ROOT)} differs from the generated text: run scripts/what-prefect-sees")  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
