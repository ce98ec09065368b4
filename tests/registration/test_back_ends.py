"""Flows whose clusters come from any class, run by the stock Prefect worker; classes that are refused before anything is sent."""

from __future__ import annotations

import psutil
import pytest
from prefect import flow, task

from satflow_ext.errors import InvalidExecutorOption, UnknownBackEnd
from satflow_ext.models import ExecutorChoice
from tests.flow_runs import log_of

OPTIONS = {"host": "127.0.0.1", "dashboard_address": "127.0.0.1:0", "threads_per_worker": 1, "security": True}


@task
def place(number):
    return number


@flow(log_prints=True)
def placed(count: int = 4):
    print("placed", place.map(range(count)).result())  # noqa: T201


def choice(backend, **options):
    return ExecutorChoice(name="dask-cluster", options={"backend": backend, "backend_options": options})


def test_a_run_has_a_cluster_of_a_class_and_leaves_nothing(stack, registered, ran):
    done = registered(placed, executor=choice("distributed:LocalCluster", **OPTIONS))
    detail = ran(done)
    log = log_of(stack, detail.run.id)
    assert detail.run.state_type == "COMPLETED", log
    assert "placed [0, 1, 2, 3]" in log
    assert not [word for word in ("dashboard is available", "did not end", "tls://") if word in log]
    assert not [each for each in psutil.process_iter(["environ"]) if _is_of(each, detail.run.id)]


@pytest.mark.parametrize(
    ("backend", "options", "error", "said"),
    [
        (
            "nowhere.at_all:Cluster",
            {},
            UnknownBackEnd,
            "The cluster provider nowhere.at_all:Cluster cannot be imported: ModuleNotFoundError",
        ),
        ("distributed:Kluster", {}, UnknownBackEnd, "AttributeError"),
        ("distributed:__version__", {}, UnknownBackEnd, "is not a class"),
        ("distributed:SpecCluster", {"zone": "x"}, InvalidExecutorOption, r"does not accept zone. It accepts workers,"),
    ],
)
def test_a_class_that_cannot_be_had_is_refused(backend, options, error, said, registered):
    with pytest.raises(error, match=said):
        registered(placed, executor=choice(backend, **options))


def _is_of(process, run_id):
    return (process.info["environ"] or {}).get("PREFECT__FLOW_RUN_ID") == run_id
