"""Processes of the package import nothing from the folder in which they are started, which is often a notebook's."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from satflow_ext.clusters import single_update
from satflow_ext.clusters.persistent_clusters import PersistentCluster
from satflow_ext.clusters.status_files import StatusFiles
from satflow_ext.gateways import cluster_process
from satflow_ext.gateways.cluster_process import ClusterCommand
from satflow_ext.gateways.cluster_request import GatewayClusterRequest
from satflow_ext.server import cluster_watch
from satflow_ext.settings import Settings, load_settings

HOSTILE = "from pathlib import Path\nPath({mark!r}).touch()\nraise SystemExit(7)\n"
NAMES = ("random", "runpy", "dask", "distributed", "pydantic", "sitecustomize", "usercustomize", "satflow_ext")


@pytest.fixture
def mark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that exists once a module of the current folder was imported."""
    mark, folder = tmp_path / "mark", tmp_path / "notebooks"
    folder.mkdir()
    for name in NAMES:
        (folder / f"{name}.py").write_text(HOSTILE.format(mark=str(mark)))
    monkeypatch.chdir(folder)
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    return mark


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("SATFLOW_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("SATFLOW_RUNTIME_DIR", str(tmp_path / "run"))
    return load_settings()


def order(place: Settings) -> ClusterCommand:
    wanted = GatewayClusterRequest(
        1, 0, None, None, 1, None, 0, idle_timeout=60, start_timeout=60, gateway="", python=sys.executable
    )
    return ClusterCommand(verb="read", request=wanted, label=str(uuid4()), settings=place)


def test_the_files_would_be_imported(mark: Path) -> None:
    """Else the tests below would show nothing."""
    assert subprocess.run([sys.executable, "-m", "random"], check=False).returncode == 7
    assert mark.exists()


@pytest.mark.slow
@pytest.mark.parametrize("module", [single_update, cluster_watch, cluster_process], ids=lambda module: module.__name__)
def test_the_commands_import_nothing_from_the_current_folder(module: object, mark: Path, place: Settings) -> None:
    command = module.COMMAND  # type: ignore[attr-defined]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        if module is cluster_process:  # it reads the end of its standard input as an interrupt
            process.stdin.write(order(place).model_dump_json().encode() + b"\n")
            process.stdin.flush()
            process.stdout.read()
        process.stdin.close()
        reason = process.stderr.read().decode()
    assert process.returncode == 0, reason
    assert not mark.exists()


@pytest.mark.slow
def test_an_empty_entry_of_pythonpath_is_not_the_current_folder(
    mark: Path, place: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`PYTHONPATH=$PYTHONPATH:/more` makes one where the variable was not set before."""
    monkeypatch.setenv("PYTHONPATH", f"{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    assert asyncio.run(cluster_process.run_command(order(place))).state.state == "none"
    nowhere = {"executor": "dask-cluster", "plan": None, "worker_size": None, "address": None, "gateway": None}
    cluster = PersistentCluster(deployment_id=str(uuid4()), deployment="flow/tiles", **nowhere)
    with single_update.update_status_files((cluster,), StatusFiles(place)):  # until the process reports on the cluster
        pass
    assert not mark.exists()
