"""What each process loads of others: measured in a fresh interpreter."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from satflow_ext.cli import COMMANDS

pytestmark = pytest.mark.slow

HEAVY = {"jupyter_server", "jupyterlab", "tornado", "distributed", "dask", "prefect", "pydantic", "httpx", "IPython"}
WEB = {"jupyter_server", "jupyterlab", "tornado", "notebook"}


def loaded_by(statement: str) -> set[str]:
    """The top-level packages in `sys.modules` after a statement, other than those of a bare interpreter."""
    program = (
        f"{statement}\nimport json, sys\nprint(json.dumps(sorted({{name.partition('.')[0] for name in sys.modules}})))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("module", ["satflow_ext", "satflow_ext.compat.prefect_saturn"])
def test_importing_the_package_loads_nothing(module):
    assert not loaded_by(f"import {module}") & HEAVY


@pytest.mark.parametrize(
    "module",
    [
        "runtime",
        "runtime.load",
        "runtime.fetch",
        "executors",
        "endpoints",
        "settings",
        "models",
        "errors",
        "registration",
    ],
)
def test_what_a_flow_run_imports_loads_no_web_server(module):
    assert not loaded_by(f"import satflow_ext.{module}") & (WEB | {"distributed"})


def test_a_threads_run_loads_no_dask():
    statement = (
        "from satflow_ext import executors, settings; from satflow_ext.models import ExecutorChoice;"
        "executors.create_task_runner(ExecutorChoice(name='threads'), settings.load_settings())"
    )
    assert not loaded_by(statement) & (WEB | {"distributed", "dask"})


def test_no_command_imports_prefect():
    """Nor do the modules in which it does its work; tests/commands/test_imports.py runs the commands."""
    work = ("prefect_api", "runs", "deployments.conflicts", "deployments.versions", "registration", "clusters")
    modules = [*(f"commands.{name.replace('-', '_')}" for name in COMMANDS), *work, "clusters.deployment_clusters"]
    statement = "import " + ", ".join(f"satflow_ext.{module}" for module in modules)
    assert not loaded_by(statement) & {"prefect", "distributed", "dask"}


def test_quick_commands_import_only_what_they_need_at_their_start():
    quick = ("run", "run_groups", "logs", "status", "versions", "diff", "down", "sizes", "keys", "store", "clusters")
    statement = "import " + ", ".join(f"satflow_ext.commands.{name}" for name in quick)
    assert not loaded_by(statement) & {"jsonschema", "websockets", "tornado", "zmq"}


@pytest.mark.parametrize("module", ["server", "server.app"])
def test_starting_a_jupyter_server_pays_for_nothing(module):
    assert not loaded_by(f"import satflow_ext.{module}") & {"prefect", "distributed", "dask"}


def test_starting_a_kernel_pays_for_nothing():
    statement = (
        "from IPython.core.interactiveshell import InteractiveShell; shell = InteractiveShell();"
        "import satflow_ext; satflow_ext.load_ipython_extension(shell)"
    )
    assert not loaded_by(statement) & {"prefect", "pydantic", "httpx", "distributed", "jupyter_server"}


def test_importing_prefect_compiles_no_grammar():
    """Some versions of jsonschema do, with a package that JupyterLab brings along; requirements.lock has another version."""
    assert "lark" not in loaded_by("import prefect.engine")


WITHOUT_EXTRAS = """
import importlib, pkgutil, sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in EXTRAS:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing())
import satflow_ext
for module in pkgutil.walk_packages(satflow_ext.__path__, "satflow_ext."):
    if not module.name.startswith(PARTS):
        importlib.import_module(module.name)
"""
EXTRAS = {
    *("jupyter_server", "jupyterlab", "jupyterlab_server", "dask_labextension", "bokeh", "notebook"),
    *("dask_gateway", "dask_gateway_server", "dask_kubernetes", "dask_jobqueue", "asyncssh", "ray", "prefect_ray"),
}
PARTS = (
    "satflow_ext.server.",
    "satflow_ext.cluster_providers.slurm_cluster",
    "satflow_ext.cluster_providers.ssh_cluster",
    "satflow_ext.executors.ray_runner",
    "satflow_ext.gateways.own_gateway",
    "satflow_ext.stack.gateway_proxy",
    "satflow_ext.stack.gateway_server",
)
"""The modules that only run where their extra is installed."""


def test_the_base_works_without_the_extras():
    assert "prefect" in loaded_by(f"EXTRAS, PARTS = {EXTRAS!r}, {PARTS!r}\n{WITHOUT_EXTRAS}")
