"""The notebooks of `corpus/`, as people write them: cells between `# %%` lines, and a head that says what the flow returns.

The flow is always called `main`. The head's lines:

    # What the notebook is about.
    # gives: the repr of what the flow returns
    # runs with: parameters of the run, JSON
    # executor: its name, and its options as JSON

Cells may hold whatever IPython takes; those that begin with `%%writefile` make the modules beside the notebook.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

CORPUS = Path(__file__).parent / "corpus"


@dataclass(frozen=True)
class Notebook:
    """One notebook and what comes of it."""

    name: str
    cells: tuple[str, ...]
    gives: str
    parameters: dict[str, object]
    executor: str
    options: dict[str, object]


def read(path: Path) -> Notebook:
    head, *cells = path.read_text("utf-8").split("# %%\n")
    said = dict(line[2:].split(": ", 1) for line in head.splitlines() if ": " in line and not line.endswith("."))
    executor, _, options = said.get("executor", "threads").partition(" ")
    return Notebook(
        name=path.stem,
        cells=tuple(cells),
        gives=said["gives"],
        parameters=json.loads(said.get("runs with", "{}")),
        executor=executor,
        options=json.loads(options or "{}"),
    )


NOTEBOOKS = tuple(read(path) for path in sorted(CORPUS.glob("*.py")))
