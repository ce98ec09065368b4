"""`satflow worker` explains what it needs; tests/run_template/test_worker.py starts it."""

from __future__ import annotations

import pytest

from satflow_ext import cli


@pytest.mark.parametrize(
    ("variables", "words", "message"),
    [
        ({}, [], "the local stack has a Prefect worker of its own. Set PREFECT_API_URL, or"),
        ({"PREFECT_API_URL": "http://127.0.0.1:1/api"}, [], "needs a work pool. Add --pool NAME"),
        ({}, ["--pol", "team"], "Unknown arguments: --pol"),
    ],
)
def test_what_is_missing_is_said(variables, words, message, monkeypatch, capsys):
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert cli.main(["worker", *words]) == 1
    assert message in capsys.readouterr().err
