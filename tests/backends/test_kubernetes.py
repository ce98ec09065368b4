"""Contract tests of the back end kubernetes: no Kubernetes is part of them.

What the Dask operator is asked for is held against its own custom resource definitions, what its own code would start is started
as processes of this machine, and the real `KubeCluster` lives a whole life on a stand-in for Kubernetes' API.
"""

from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

import httpx
import pytest
from distributed import Client

from satflow_ext import executors
from satflow_ext.cluster_providers import ProviderRequest
from satflow_ext.cluster_providers.kubernetes import build_manifest, summarize_pods
from satflow_ext.errors import InvalidExecutorOption
from satflow_ext.models import ExecutorChoice
from satflow_ext.settings import GIB, Settings
from tests.platforms.asked import PYTHON, ask
from tests.ports import free_ports

THERE = Path(__file__).with_name("kube_there.py")
OPTIONS = {"image": "team/dask:1", "env": {"REGION": "north"}}
ASKED = ProviderRequest(
    3, 0, None, "large", 2, GIB // 2, 1, idle_timeout=90.5, start_timeout=60, backend="kubernetes", options=OPTIONS
)
CUSTOM = {
    "apiVersion": "kubernetes.dask.org/v1",
    "kind": "DaskCluster",
    "metadata": {"labels": {"team": "sky"}},
    "spec": {
        "scheduler": {"spec": {"containers": [{"name": "scheduler", "image": "a", "args": ["theirs"]}]}},
        "worker": {
            "spec": {
                "nodeSelector": {"disk": "fast"},
                "containers": [{"name": "worker", "image": "a", "env": [{"name": "KEPT", "value": "1"}]}],
            }
        },
    },
}
AUTOSCALER = {
    "apiVersion": "kubernetes.dask.org/v1",
    "kind": "DaskAutoscaler",
    "metadata": {"name": "satflow-1"},
    "spec": {"cluster": "satflow-1", "minimum": 0, "maximum": 5},
}


@pytest.fixture(scope="module")
def told():
    """What dask-kubernetes says of the manifests."""
    adaptive = replace(ASKED, workers=None, maximum=5, size=None, cores=None, memory=None, gpus=0)
    custom = replace(ASKED, options={"custom_cluster_spec": CUSTOM, "env": {"REGION": "north"}})
    made = {
        "fixed": build_manifest(ASKED, "satflow-1"),
        "adaptive": build_manifest(adaptive, "satflow-1"),
        "custom": build_manifest(custom, "satflow-1"),
        "wrong": {**build_manifest(ASKED, "satflow-1"), "spec": {"worker": {"replica": 1, "spec": {}}}},
        "autoscaler": AUTOSCALER,
    }
    return dict(zip(made, ask(THERE, list(made.values())), strict=True))


@pytest.mark.slow
def test_the_operator_takes_it_and_kubernetes_drops_nothing(told):
    assert {name: each["wrong"] for name, each in told.items() if name != "wrong"} == {
        name: [] for name in ("fixed", "adaptive", "custom", "autoscaler")
    }
    assert {each.partition(":")[0] for each in told["wrong"]["wrong"]} >= {"$.spec", "$.spec.worker"}


@pytest.mark.slow
def test_workers_are_as_big_as_was_chosen(told):
    scheduler, worker = told["fixed"]["containers"]
    size = {"cpu": "2", "memory": str(GIB // 2), "nvidia.com/gpu": "1"}
    assert worker["resources"] == {"requests": size, "limits": size}
    assert "resources" not in scheduler
    assert {each["image"] for each in (scheduler, worker)} == {"team/dask:1"}
    assert all({"name": "REGION", "value": "north"} in each["env"] for each in (scheduler, worker))
    assert told["fixed"]["service"]["selector"] == {
        "dask.org/cluster-name": "satflow-1",
        "dask.org/component": "scheduler",
    }


@pytest.mark.slow
def test_a_custom_specification_keeps_what_it_says(told):
    scheduler, worker = told["custom"]["containers"]
    assert (scheduler["args"], worker["resources"]["limits"]["cpu"]) == (["theirs"], "2")
    assert {"KEPT", "REGION"} <= {each["name"] for each in worker["env"]}
    made = build_manifest(replace(ASKED, options={"custom_cluster_spec": CUSTOM}), "satflow-2")
    assert made["metadata"] == {"labels": {"team": "sky"}, "name": "satflow-2"}
    assert made["spec"]["worker"]["spec"]["nodeSelector"] == {"disk": "fast"}
    assert (made["spec"]["idleTimeout"], made["spec"]["worker"]["replicas"]) == (91, 3)
    assert CUSTOM["metadata"] == {"labels": {"team": "sky"}}, "what was given is left alone"


@pytest.mark.cluster
def test_what_the_pods_start_works(told):
    """The containers' own words, with what Kubernetes and this machine say in place of names and addresses."""
    scheduler, worker = told["fixed"]["containers"]
    port, pages = free_ports(2)
    here = ["--port", str(port), "--dashboard-address", f"127.0.0.1:{pages}"]
    with (
        _started(scheduler, {"0.0.0.0": "127.0.0.1"}, *here),
        Client(f"tcp://127.0.0.1:{port}", timeout=30) as client,
        _started(worker, {"tcp://satflow-1-scheduler.night.svc.cluster.local:8786": f"tcp://127.0.0.1:{port}"}),
    ):
        client.wait_for_workers(1, timeout=60)
        (found,) = client.scheduler_info(n_workers=-1)["workers"].values()
        assert (found["nthreads"], found["memory_limit"]) == (2, GIB // 2)
        assert (found["name"], found["resources"]) == ("satflow-1-default-worker-1", {"GPU": 1.0})
        assert httpx.get(f"http://127.0.0.1:{pages}/health").text == "ok"
        for page in ("status", "json/counts.json", "info/main/workers.html"):
            assert httpx.get(f"http://127.0.0.1:{pages}/{page}").status_code == httpx.codes.NOT_FOUND


@contextmanager
def _started(container, instead, *more):
    env = {each["name"]: instead.get(each["value"], each["value"]) for each in container["env"]}
    words = [instead.get(word, word) for word in container["args"]]
    words = [env.get(word.removeprefix("$(").removesuffix(")"), word) for word in words]
    command = [str(PYTHON.parents[2] / "bin" / words[0]), *words[1:], *more]
    process = subprocess.Popen(command, env={**os.environ, **env}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)


@pytest.mark.cluster
def test_a_cluster_lives_and_ends_with_its_run(tmp_path):
    """The real `KubeCluster` and this back end, on a stand-in for Kubernetes and the operator that starts processes."""
    ports = dict(zip(("tcp-comm", "http-dashboard"), free_ports(2), strict=True))
    options = {"image": "team/dask:1", "namespace": "night", "scheduler_service_type": "LoadBalancer"}
    asked = asdict(replace(ASKED, options=options, workers=2, cores=1, gpus=0))
    pending = "0/3 nodes are available: 3 Insufficient cpu."
    question = {"ports": ports, "folder": str(tmp_path), "asked": asked, "pending": pending}
    told = ask(THERE.with_name("kube_run.py"), question)
    name = told["made"]["metadata"]["name"]
    assert told["pods"] == [f"{name}-default-worker-0", f"{name}-default-worker-1", f"{name}-scheduler"]
    wanted = build_manifest(ProviderRequest(**asked), name)["spec"]
    assert (told["made"]["spec"], told["sum"]) == (wanted, 3)
    assert told["why"] == "pod waiting is pending: 0/3 nodes are available: 3 Insufficient cpu"
    (autoscaler,) = told["autoscalers"]
    assert autoscaler["spec"] == {"cluster": name, "minimum": 0, "maximum": 5}
    assert told["left"] == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "needs an image"),
        ({"image": "a", "resources": {}}, "Use the executor option worker_size"),
        ({"image": "a", "jupyter": True}, "Leave it out"),
        ({"custom_cluster_spec": {"kind": "Pod"}}, "is not a DaskCluster"),
        ({"custom_cluster_spec": "spec.yaml"}, "is not a DaskCluster"),
        ({"image": "a", "env": {"API_TOKEN": "b7e23ec29af22b0b4e41da31e868d572"}}, r"env.API_TOKEN looks like a cred"),
    ],
)
def test_what_no_kubernetes_could_run_is_refused(options, said):
    choice = ExecutorChoice(name="dask-cluster", options={"backend": "kubernetes", "backend_options": options})
    with pytest.raises(InvalidExecutorOption, match=said) as caught:
        executors.validate_choice(choice, Settings(), runs_locally=False)
    assert caught.value.field == "executor.options.backend_options"


def test_why_pods_do_not_run():
    pods = [
        _pod("w1", "Pending", conditions=[{"type": "PodScheduled", "status": "False", "message": "Insufficient cpu."}]),
        _pod("w2", "Pending", containerStatuses=[{"state": {"waiting": {"reason": "ErrImagePull", "message": "no"}}}]),
        _pod("w3", "Running", containerStatuses=[{"state": {"running": {}}}]),
        _pod("w4", "Pending", containerStatuses=[{"state": {"waiting": {"reason": "ContainerCreating"}}}]),
        _pod("w5", "Failed"),
    ]
    assert (
        summarize_pods(pods).reason
        == "pod w1 is pending: Insufficient cpu, pod w2 waits: ErrImagePull no, pod w4 is pending, and 1 more"
    )
    assert summarize_pods(pods[2:3]).reason is None


def _pod(name, phase, **status):
    return {"metadata": {"name": name}, "status": {"phase": phase, **status}}
