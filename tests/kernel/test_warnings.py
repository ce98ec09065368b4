"""What registering warns of, found by the walk that packing does anyway."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from satflow_ext.kernel import pack as packing
from satflow_ext.models import PackedFlow

if TYPE_CHECKING:
    from pathlib import Path

GITHUB = "ghp_" + "a1B2" * 9
LIMIT = 64 * 1024 * 1024


def pack(flow: object, folder: Path, **names: object) -> PackedFlow:
    return packing.pack_flow(flow, folder, namespace={"main": flow, **names}, limit=LIMIT)


HOLDERS = {
    "text": ("key = {!r}", "main -> key"),
    "dict": ("key = {{'a': 1, 'b': {!r}}}", "main -> key['b']"),
    "nested": ("key = {{'a': [1, {{'b': ({!r}, 2)}}]}}", "main -> key['a'][1]['b'][0]"),
    "set": ("key = {{{!r}, 'x'}}", "main -> key"),
    "after much else": ("key = [*range(900), {!r}]", "main -> key[900]"),
    "beside an object": ("key = [object, {!r}]", "main -> key[1]"),
    "default": ("def key(x={!r}): return x", "main -> key -> (default x)"),
    "attribute": ("class key:\n    token = {!r}", "main -> key.token"),
    "bytes": ("key = {!r}.encode()", "main -> key"),
}


@pytest.mark.parametrize(("source", "where"), HOLDERS.values(), ids=HOLDERS)
def test_a_credential_is_reported_by_where_it_is(source: str, where: str, tmp_path: Path) -> None:
    packed = pack(made(source.format(GITHUB)), tmp_path)
    (finding,) = packed.warnings
    assert (finding.where, finding.level, finding.kind) == (where, "warning", "credential")
    assert GITHUB not in finding.sentence
    assert finding.sentence == f"{where}: looks like a GitHub token. {finding.fix}"


def test_an_object_that_does_not_survive_the_trip_is_reported(tmp_path: Path) -> None:
    (finding,) = pack(made("import requests\nkey = requests.Session()"), tmp_path).warnings
    assert (finding.where, finding.message) == ("main -> key", "an HTTP session (requests.sessions.Session)")


def test_large_plain_data_are_looked_at_in_part(tmp_path: Path) -> None:
    packed = pack(made(f"key = [*map(str, range(100_000)), {GITHUB!r}]"), tmp_path)
    assert packed.warnings == ()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A notebook's folder with a data file, one in a folder, and a module."""
    monkeypatch.setenv("JPY_SESSION_NAME", str(tmp_path / "flows.ipynb"))
    (tmp_path / "data").mkdir()
    for name in ("table.csv", "data/more.csv", "shelves.py"):
        (tmp_path / name).touch()
    return tmp_path


@pytest.mark.parametrize(
    ("source", "where"),
    [
        ("key = 'table.csv'", "table.csv"),
        ("key = './table.csv'", "table.csv"),
        ("def key(): return open('data/more.csv')", "data/more.csv"),
        ("import pathlib\nkey = pathlib.Path('data') / 'more.csv'", "data/more.csv"),
        ("key = {'in': ['table.csv']}", "table.csv"),
        ("def key(path='table.csv'): return path", "table.csv"),
    ],
)
def test_a_file_beside_the_notebook_that_does_not_travel_is_reported(source: str, where: str, folder: Path) -> None:
    (finding,) = pack(made(source), folder).warnings
    assert (finding.kind, finding.where) == ("file", where)
    assert (
        packing.pack_flow(made(source), folder, namespace={"main": made(source)}, limit=LIMIT, include=[where]).warnings
        == ()
    )


@pytest.mark.parametrize("name", ["missing.csv", "data", "shelves.py", "../table.csv", "/etc/hostname", "x" * 300, ""])
def test_other_names_are_not_reported(name: str, folder: Path) -> None:
    assert pack(made(f"key = {name!r}"), folder).warnings == ()


def made(source: str) -> object:
    namespace: dict[str, object] = {"__name__": "__main__"}
    exec(f"{source}\nfrom prefect import flow\n@flow\ndef main(): return key\n", namespace)
    return namespace["main"]
