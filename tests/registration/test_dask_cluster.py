"""Flows on clusters of the local stack's Dask Gateway, run by the stock Prefect worker."""

from __future__ import annotations

import json
import os

from prefect import flow, task

from satflow_ext import cli
from satflow_ext.models import ExecutorChoice
from satflow_ext.settings import SizeSettings
from tests.flow_runs import log_of

SMALL = {"tiny": SizeSettings(cores=1, memory=0.3)}
CHOICE = ExecutorChoice(name="dask-cluster", options={"n_workers": 1, "worker_size": "tiny"})


@task
def place(number):
    from distributed import get_worker

    return number, os.getpid(), get_worker().memory_manager.memory_limit


@flow(log_prints=True)
def placed(count: int = 2):
    numbers, pids, limits = zip(*place.map(range(count)).result(), strict=True)
    print("placed", list(numbers), set(pids), set(limits))  # noqa: T201


def test_runs_of_a_deployment_find_its_cluster_warm(stack, registered, ran, capsys):
    here = stack.settings.model_copy(update={"worker_sizes": SMALL})
    done = registered(placed, settings=here, executor=CHOICE)
    assert json_of(capsys, "start", done.deployment.id) == [("running", 1)]
    said = []
    for _ in range(2):
        detail = ran(done)
        assert detail.run.state_type == "COMPLETED", log_of(stack, detail.run.id)
        log = log_of(stack, detail.run.id)
        assert "gateway://" not in log
        assert "/clusters/" not in log
        said.append(next(line for line in log.splitlines() if line.startswith("placed")))
    assert said[0] == said[1]
    assert str(int(0.3 * 1024**3)) in said[0]
    assert json_of(capsys, "scale", done.deployment.id, "2")[0][0] == "running"
    assert json_of(capsys, "adapt", done.deployment.id, "--maximum", "1")[0][0] == "running"
    assert (done.deployment.name, "running") in names_of(capsys)
    assert json_of(capsys, "scale", done.deployment.id, "2")[0][0] == "running"
    assert cli.main(["clusters", "list"]) == 0
    assert f"/{done.deployment.name}: running, " in capsys.readouterr().out
    assert json_of(capsys, "close", done.deployment.id) == [("none", 0)]


def test_orders_that_make_no_sense_are_told_in_words(stack, registered, capsys):
    done = registered(placed)
    assert cli.main(["clusters", "start", done.deployment.id]) == 1
    assert "do not share a cluster. Register it with the executor dask-cluster" in capsys.readouterr().err
    assert cli.main(["clusters", "adapt", done.deployment.id, "--minimum", "3", "--maximum", "2"]) == 1
    assert "order.maximum: must not be less than the minimum." in capsys.readouterr().err


def json_of(capsys, *words):
    """What `satflow clusters` printed: state and number of Dask workers of each cluster."""
    return [(each["state"], each["workers"]) for each in _printed(capsys, *words)]


def names_of(capsys):
    return [(each["deployment_name"].rpartition("/")[2], each["state"]) for each in _printed(capsys, "list")]


def _printed(capsys, *words):
    capsys.readouterr()
    assert cli.main(["clusters", "--json", *words]) == 0, capsys.readouterr().err
    return json.loads(capsys.readouterr().out)
