"""The notebooks of `corpus/`, as people write them: cells between `# %%` lines, and a head that says what the flow returns.

The flow is always called `main`. The head's lines:

    # What the notebook is about.
    # gives: the repr of what the flow returns
    # fails: state and message of a run that does not complete, instead of `gives`
    # runs with: parameters of the run, JSON
    # executor: its name, and its options as JSON; one line for each executor that runs the notebook

Cells may hold whatever IPython takes; those that begin with `%%writefile` make the modules beside the notebook.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

CORPUS = Path(__file__).parent / "corpus"


@dataclass(frozen=True)
class Executor:
    """An executor of a notebook's runs."""

    name: str = "threads"
    options: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Notebook:
    """One notebook and what comes of it."""

    name: str
    cells: tuple[str, ...]
    gives: str | None
    fails: str | None
    parameters: dict[str, object]
    executors: tuple[Executor, ...]


def read(path: Path) -> Notebook:
    head, *cells = path.read_text("utf-8").split("# %%\n")
    lines = [line[2:].split(": ", 1) for line in head.splitlines() if ": " in line]
    values = {key: value for key, value in lines if key in ("gives", "fails", "runs with")}
    return Notebook(
        name=path.stem,
        cells=tuple(cells),
        gives=values.get("gives"),
        fails=values.get("fails"),
        parameters=json.loads(values.get("runs with", "{}")),
        executors=tuple(_executor(value) for key, value in lines if key == "executor") or (Executor(),),
    )


def _executor(text: str) -> Executor:
    name, _, options = text.partition(" ")
    return Executor(name, json.loads(options or "{}"))


NOTEBOOKS = tuple(read(path) for path in sorted(CORPUS.glob("*.py")))
