"""Interdependent pydantic classes keep all their fields, in whatever order a flow reaches them."""

from __future__ import annotations

import io
import json
import pickle
import random
import subprocess
import sys
import types
from itertools import pairwise
from pathlib import Path

import pytest

from satflow_ext.kernel.carried import FlowWithModules
from satflow_ext.kernel.pickler import pickle_object

GRAPHS = 40
LOAD = """
import json, pickle, sys
for path in sys.argv[1:]:
    print(json.dumps(pickle.load(open(path, "rb"))()))
"""
HEAD = """
from typing import Annotated, Generic, Literal, Optional, TypeVar, Union
from pydantic import BaseModel, Field, RootModel
from pydantic.dataclasses import dataclass
T = TypeVar("T")
class Page(BaseModel, Generic[T]):
    items: list[T]
"""
KINDS = {
    "model": "class {name}(BaseModel):\n    n: int\n    inner: {field}\n",
    "dataclass": "@dataclass\nclass {name}:\n    n: int\n    inner: {field}\n",
    "subclass": "class Base{name}(BaseModel):\n    inner: {field}\nclass {name}(Base{name}):\n    n: int\n",
}
FIELDS = {
    "one": ("{inner}", lambda value: value),
    "list": ("list[{inner}]", lambda value: [value]),
    "generic": ("Page[{inner}]", lambda value: {"items": [value]}),
    "root": ("RootModel[list[{inner}]]", lambda value: [value]),
    "optional": ("Optional[{inner}]", lambda value: value),
    "late": ("'{inner}'", lambda value: value),
}


def _graph(seed: int) -> tuple[str, str, object, list[str]]:
    """Source of a chain of classes, the outermost one, a value for it, and the classes in the order of a flow's reach."""
    chance = random.Random(seed)
    names = [f"M{index}" for index in range(chance.randint(2, 6))]
    blocks, value = [f"class {names[0]}(BaseModel):\n    n: int\n"], {"n": 0}
    for number, (inner, name) in enumerate(pairwise(names), start=1):
        annotation, wrap = FIELDS[chance.choice(sorted(FIELDS))]
        kind = chance.choice(sorted(KINDS))
        blocks.append(KINDS[kind].format(name=name, field=annotation.format(inner=inner)))
        value = {"n": number, "inner": wrap(value)}
    reached = [*chance.sample(names[:-1], chance.randint(0, len(names) - 1)), names[-1]]
    chance.shuffle(reached)
    return HEAD + "".join(blocks), names[-1], value, reached


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    module = types.ModuleType("__main__")
    monkeypatch.setitem(sys.modules, "__main__", module)
    return module


@pytest.mark.slow
def test_every_order_gives_what_the_notebook_has(notebook: types.ModuleType, tmp_path: Path) -> None:
    files, expected = [], []
    for seed in range(GRAPHS):
        source, outermost, value, reached = _graph(seed)
        vars(notebook).clear()
        vars(notebook)["__name__"] = "__main__"
        lines = "".join(f"    {name}\n" for name in reached)
        exec(
            f"{source}\ndef main():\n{lines}    from pydantic import TypeAdapter\n"
            f"    adapter = TypeAdapter({outermost})\n"
            f"    return adapter.dump_python(adapter.validate_python({value!r}))\n",
            vars(notebook),
        )
        expected.append(json.loads(json.dumps(notebook.main())))
        assert expected[-1] == value
        file = tmp_path / f"{seed}.pkl"
        with file.open("wb") as opened:
            pickle_object(FlowWithModules(notebook.main, {}, {}), opened, 1 << 30)
        files.append(str(file))
    done = subprocess.run([sys.executable, "-c", LOAD, *files], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert [json.loads(line) for line in done.stdout.splitlines()] == expected


def test_a_class_that_was_never_completed_stays_so(notebook: types.ModuleType) -> None:
    """Its annotation is not defined in the notebook: that is an error when it is used, there as in the notebook."""
    exec(
        "from pydantic import BaseModel\nclass Broken(BaseModel):\n    x: 'Missing'\ndef main():\n    return Broken, 1\n",
        vars(notebook) | {"__name__": "__main__"},
        vars(notebook),
    )
    vars(notebook)["main"].__globals__.update(vars(notebook))
    file = io.BytesIO()
    pickle_object(FlowWithModules(notebook.main, {}, {}), file, 1 << 30)
    assert pickle.loads(file.getvalue())()[1] == 1
