"""Who is told how much: the local stack's Prefect everything, any other one less, unless somebody has said so."""

from __future__ import annotations

import linecache
import os

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from satflow_ext import cell_lines
from satflow_ext.endpoints import StackRecord, record_path
from satflow_ext.redaction import policy
from satflow_ext.settings import Settings

OWN = "http://127.0.0.1:4711/api"


@pytest.fixture
def here(tmp_path):
    """Settings of a machine with a local stack."""
    found = Settings(runtime_dir=tmp_path, state_dir=tmp_path)
    record_path(found).parent.mkdir(parents=True, exist_ok=True)
    record_path(found).write_text(StackRecord(pid=os.getpid(), prefect_url=OWN).model_dump_json())
    return found


@pytest.mark.parametrize("told", ["types", "messages", "everything"])
@pytest.mark.parametrize("url", [OWN, "https://prefect.example.com/api"])
def test_what_was_said_holds(here, told, url):
    with temporary_settings({PREFECT_API_URL: url}):
        assert policy.decide_level(here.model_copy(update={"tell_prefect": told})) == told


@pytest.mark.parametrize(
    ("url", "told"),
    [
        (OWN, "everything"),
        ("http://127.0.0.1:4712/api", "messages"),
        ("https://prefect.example.com/api", "messages"),
    ],
)
def test_only_the_local_stack_is_told_everything(here, url, told):
    with temporary_settings({PREFECT_API_URL: url}):
        assert policy.decide_level(here) == told


@pytest.mark.parametrize("document", [b"{}", b'{"pid": 1, "made_up": 2}', None])
def test_without_a_record_that_can_be_read_no_api_is_the_local_stacks(here, document):
    record_path(here).unlink()
    if document is not None:
        record_path(here).write_bytes(document)
    with temporary_settings({PREFECT_API_URL: OWN}):
        assert policy.decide_level(here) == "messages"


def test_a_process_of_no_flow_run_tells_what_prefect_does(monkeypatch):
    monkeypatch.delenv(policy.POLICY_VARIABLE, raising=False)
    assert policy.process_level() == "everything"


@pytest.mark.parametrize("level", ["types", "messages", "everything"])
def test_lines_of_cells_are_sent_to_other_processes_only_if_prefect_may_have_them(level, monkeypatch):
    monkeypatch.setenv(policy.POLICY_VARIABLE, level)
    cell = ("/tmp/ipykernel_1/345.py", "def f():\n    return 1")
    cell_lines.register_cell_lines([cell])
    assert linecache.getline(cell[0], 2) == "    return 1\n"
    assert (cell in policy.shareable_cells()) is (level == "everything")


def test_a_process_keeps_a_limited_number_of_cells(monkeypatch):
    monkeypatch.setattr(cell_lines, "MAX_CELLS", 3)
    cell_lines.register_cell_lines((f"/tmp/ipykernel_1/{number}.py", "1") for number in range(9))
    assert [file for file, _ in cell_lines.registered_cells()] == [f"/tmp/ipykernel_1/{n}.py" for n in (6, 7, 8)]
    assert linecache.getlines("/tmp/ipykernel_1/1.py") == []
