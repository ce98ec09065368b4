"""The configuration of a Jupyter server fixes settings of its users: in the server itself and in what it starts."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from traitlets.config import Config

from satflow_ext.errors import SettingsWrong
from satflow_ext.models import Catalogue
from satflow_ext.server.app import SatflowApp
from satflow_ext.settings import ADMINISTERED, load_settings
from tests.notebook_files import write_notebook
from tests.satflow_command import satflow

SIZES = {"small": {"cores": 1, "memory": 1}}
FLOW = """
from prefect import flow

@flow
def adds():
    return 1
"""


PAGE = Path(__file__).parents[2] / "docs" / "administrators.md"


@pytest.fixture
def jp_server_config(jp_server_config, monkeypatch):
    monkeypatch.setenv(ADMINISTERED, "{}")  # restored after the test
    monkeypatch.setenv("SATFLOW_WORKER_SIZES", '{"huge": {"cores": 64, "memory": 512}}')
    return {**jp_server_config, "SatflowApp": {"disabled_executors": ["processes"], "worker_sizes": SIZES}}


async def test_the_form_offers_what_the_server_allows(browser):
    catalog = await browser.ask(Catalogue, "GET", "catalogue")
    assert [each.name for each in catalog.worker_sizes] == ["small"]
    names = [each.name for each in catalog.executors]
    assert ("threads" in names, "processes" in names) == (True, False)


def test_without_configuration_nothing_is_fixed():
    assert set(SatflowApp().trait_values(setting=True).values()) == {None}


@pytest.mark.usefixtures("jp_serverapp")
def test_a_command_in_a_terminal_of_the_server_is_refused_as_well(tmp_path):
    notebook = write_notebook(tmp_path / "adds.ipynb", FLOW)
    done = satflow("register", notebook, "--check", "--executor", "processes")
    assert done.returncode == 1
    assert "The executor 'processes' is disabled here." in done.stdout + done.stderr
    assert satflow("sizes").stdout.count("\n") == 2, "a heading and one size"


def test_the_users_own_settings_are_replaced_as_a_whole(tmp_path, monkeypatch):
    file = tmp_path / "satflow.toml"
    file.write_text('work_pool = "mine"\nrun_limit = 99\n[stores.mine]\nurl = "https://mine/{digest}"\n')
    monkeypatch.setenv("SATFLOW_CONFIG", str(file))
    monkeypatch.setenv("SATFLOW_WORK_POOL", "mine as well")
    team = {"stores": {"team": {"url": "https://team/{digest}"}}, "work_pool": "team"}
    monkeypatch.setenv(ADMINISTERED, json.dumps(team))
    found = load_settings()
    assert (list(found.stores), found.work_pool, found.run_limit) == (["team"], "team", 99)


@pytest.mark.parametrize("value", ['{"work_pools": "team"}', '{"run_limit": 0}', "{"])
def test_wrong_values_are_reported(monkeypatch, value):
    monkeypatch.setenv(ADMINISTERED, value)
    with pytest.raises(SettingsWrong):
        load_settings()


def read_python() -> dict[str, object]:
    (block,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    config = Config()
    exec(block, {"c": config})  # as traitlets loads it
    return dict(config.SatflowApp)


def read_helm_values() -> dict[str, object]:
    """The values of the file that the chart writes; its name must be that of a configuration of this extension."""
    (block,) = re.findall(r"```yaml\n(singleuser.*?)```", PAGE.read_text(), re.DOTALL)
    file = yaml.safe_load(block)["singleuser"]["extraFiles"]["satflow"]
    assert Path(file["mountPath"]).stem == SatflowApp().config_file_name
    return dict(file["data"]["SatflowApp"])


@pytest.mark.parametrize("read", [read_python, read_helm_values])
def test_the_examples_of_the_documentation_are_valid(monkeypatch, read):
    values = read()
    assert set(values) <= set(SatflowApp.class_trait_names(setting=True))
    monkeypatch.setenv(ADMINISTERED, json.dumps(values))
    found = load_settings()
    assert (found.store, list(found.gateways)) == ("team", ["team"])


@pytest.mark.slow
def test_a_disabled_executor_that_does_not_exist_is_reported(tmp_path):
    notebook = write_notebook(tmp_path / "adds.ipynb", FLOW)
    environment = {**os.environ, "SATFLOW_DISABLED_EXECUTORS": '["thread"]'}
    command = [sys.executable, "-m", "satflow_ext.cli", "register", notebook, "--check"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert "disabled_executors names 'thread', which is not an executor." in done.stdout + done.stderr
