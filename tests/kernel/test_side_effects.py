"""Warnings of cells that change the kernel's process and are no setup cells."""

from __future__ import annotations

import os
from types import SimpleNamespace

import pytest

from satflow_ext.kernel.preflight.search import find_side_effects

IMPORTS = """
import os, random, locale, sys, warnings
import os as operating_system
from os import environ
from random import seed
from pandas.api.extensions import register_dataframe_accessor
import numpy as np, pandas as pd
"""
FOUND = {
    "os.environ['A'] = '1'": "os.environ",
    "operating_system.environ['A'] = '1'": "os.environ",
    "environ['A'] = '1'": "os.environ",
    "environ.update(A='1')": "os.environ",
    "os.environ.setdefault('A', '1')": "os.environ",
    "del os.environ['A']": "os.environ",
    "if True:\n    os.environ['A'] = '1'": "os.environ",
    "get_ipython().run_line_magic('env', 'A=1')": "os.environ",
    "get_ipython().run_line_magic('cd', 'data')": "os.chdir",
    "os.chdir('data')": "os.chdir",
    "random.seed(1)": "random.seed",
    "np.random.seed(1)": "numpy.random.seed",
    "pd.set_option('mode.copy_on_write', True)": "pandas.set_option",
    "pd.options.mode.copy_on_write = True": "pandas.options",
    "@register_dataframe_accessor('a')\nclass A: pass": "pandas.api.extensions.register_dataframe_accessor",
    "@pd.api.extensions.register_dataframe_accessor('a')\nclass A: pass": (
        "pandas.api.extensions.register_dataframe_accessor"
    ),
}
NOT_FOUND = [
    "os.environ['A']",
    "value = os.environ.get('A')",
    "dict(os.environ.items())",
    "get_ipython().run_line_magic('env', '')",
    "def f():\n    os.environ['A'] = '1'",
    "f = lambda: random.seed(1)",
    "pd.set_option('display.width', 1)",
    "pd.options.display.width = 1",
    "values = {}\nvalues['A'] = 1",
    "unknown.environ['A'] = 1",
    "warnings.filterwarnings('ignore')",
    "not python",
]


def found(*texts: str, packages: frozenset[str] = frozenset({"numpy", "pandas"})) -> list[tuple[str, str]]:
    namespace: dict[str, object] = {}
    exec(IMPORTS, namespace)
    shell = SimpleNamespace(history_manager=SimpleNamespace(input_hist_parsed=["", *texts]), user_ns=namespace)
    return [
        (each.where, each.message.partition("(")[2].partition(")")[0]) for each in find_side_effects(shell, packages)
    ]


@pytest.mark.parametrize(("text", "what"), FOUND.items())
def test_is_found(text: str, what: str) -> None:
    assert found("x = 1", text) == [("cell [2]", what)]


@pytest.mark.parametrize("text", NOT_FOUND)
def test_is_not_found(text: str) -> None:
    before = dict(os.environ)
    assert found(text) == []
    assert dict(os.environ) == before


def test_options_of_packages_that_the_flow_does_not_use_do_not_matter() -> None:
    assert found("np.random.seed(1)", packages=frozenset()) == []


def test_each_is_reported_once_where_it_was_last() -> None:
    assert found("random.seed(1)", "x = 1", "random.seed(1)\nrandom.seed(2)") == [("cell [3]", "random.seed")]
