"""Every method of the browser's client, called once against a real server; every reply is of the contract's model."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from pydantic import BaseModel

from satflow_ext import models
from tests.notification_receiver import run_receiver

FLOW = """
import time
from prefect import flow, task

@task
def prepare():
    pass

@flow(log_prints=True)
def waits(line: str, pause: int = 600):
    print(line)
    prepare()
    time.sleep(pause)
"""

BLOCK = """
import satflow_ext
from prefect.blocks.notifications import CustomWebhookNotificationBlock

body = {{"subject": "{{{{subject}}}}", "body": "{{{{body}}}}"}}
satflow_ext.save_block(CustomWebhookNotificationBlock(name="tests", url="{url}", json_data=body), "contract")
"""
"""Save a block that sends to an address."""

REPLIES: dict[str, type[BaseModel] | type[str] | None] = {
    "flows": models.FlowList,
    "catalogue": models.Catalogue,
    "previewSchedule": models.SchedulePreview,
    "testNotification": models.NotificationTest,
    "clusterClass": models.ClusterClass,
    "preflight": models.Preflight,
    "deployments": models.DeploymentList,
    "register": models.Registered,
    "pauseDeployment": models.Deployment,
    "deleteDeployment": None,
    "versions": models.VersionList,
    "version": models.VersionDetail,
    "diffVersions": models.VersionDiff,
    "rollBack": models.Registered,
    "orderCluster": models.SharedCluster,
    "closeCluster": None,
    "runs": models.RunList,
    "startRun": models.Run,
    "run": models.RunDetail,
    "runVersion": models.RunVersion,
    "runResult": models.ResultPreview,
    "taskRuns": models.TaskRunPage,
    "taskRun": models.TaskRunDetail,
    "cancelRun": models.Run,
    "debugRun": models.DebugCell,
    "retryRun": models.Run,
    "changeRuns": models.RunChanges,
    "recentRuns": models.RecentRuns,
    "log": str,
    "runGroups": models.RunGroupList,
    "planRunGroup": models.RunGroupPlan,
    "startRunGroup": models.RunGroup,
    "runGroup": models.RunGroupDetail,
    "retryRunGroup": models.RunGroup,
    "cancelRunGroup": models.RunGroup,
    "clusters": models.ClusterList,
    "stack": models.StackStatus,
    "startStack": models.StackStatus,
}
"""What each method of the client gives; no model where the endpoint has no JSON."""

LINE = "said by the flow"


class Client:
    """The browser's client, whose replies are of the contract's models."""

    def __init__(self, browser_client) -> None:
        self._client = browser_client

    def __getattr__(self, method: str):
        def call(*arguments: object):
            reply = self._client.call(method, *arguments)
            model = REPLIES[method]
            if isinstance(model, type) and issubclass(model, BaseModel):
                return model.model_validate(reply)
            assert reply is None if model is None else isinstance(reply, model)
            return reply

        return call


@pytest.fixture
def client(browser_client) -> Client:
    return Client(browser_client)


@pytest.fixture
def kernel_id(jupyter_server) -> Iterator[str]:
    started = jupyter_server.start_kernel()
    jupyter_server.run_cell(started, FLOW)
    yield started
    jupyter_server.end_kernel(started)


def wait_for_line(client: Client, run_id: str) -> None:
    deadline = time.monotonic() + 120
    while LINE not in client.log(run_id):
        assert time.monotonic() < deadline, client.run(run_id)
        time.sleep(0.5)


def wait_for_task_run(client: Client, run_id: str) -> models.TaskRun:
    deadline = time.monotonic() + 120
    while not (page := client.taskRuns(run_id, {})).task_runs:
        assert time.monotonic() < deadline, client.run(run_id)
        time.sleep(0.5)
    (task_run,) = page.task_runs
    return task_run


def wait_for_end(client: Client, run_id: str, state: str = "CANCELLED") -> None:
    deadline = time.monotonic() + 120
    while client.run(run_id).run.state_type != state:
        assert time.monotonic() < deadline, client.run(run_id)
        time.sleep(0.5)


def test_every_method_gives_what_the_contract_says(browser_client, client, kernel_id, jupyter_server):
    assert client.startStack().kind == "local"
    assert client.stack().state in ("starting", "ready")
    assert [executor.name for executor in client.catalogue().executors]
    schedule = {"kind": "cron", "cron": "30 6 * * 1-5", "timezone": "Europe/Berlin"}
    assert len(client.previewSchedule({"schedule": schedule, "count": 3}).next_runs) == 3

    with run_receiver() as receiver:
        jupyter_server.run_cell(kernel_id, BLOCK.format(url=receiver.url))
        assert client.testNotification("custom-webhook/contract").block == "custom-webhook/contract"
        assert receiver.find("Test by SatFlow")

    cluster_class = client.clusterClass({"kernel_id": kernel_id, "name": "distributed:SSHCluster"})
    assert "hosts" in cluster_class.options_schema["properties"]

    (flow,) = client.flows(kernel_id).flows
    choices = {"parameters": {"line": LINE}, "schedules": [schedule]}
    report = client.preflight({"kernel_id": kernel_id, "variable": flow.variable, **choices, "rehearse": True})
    assert (report.flow, report.findings) == (flow.name, ())
    assert report.rehearsed
    registered = client.register({"kernel_id": kernel_id, "variable": flow.variable, **choices})
    deployment = registered.deployment
    assert (registered.outcome, deployment.fingerprint) == ("created", flow.fingerprint)
    assert client.pauseDeployment(deployment.id, {"paused": True}).paused
    assert deployment.id in [one.id for one in client.deployments().deployments]

    client.register({"kernel_id": kernel_id, "variable": flow.variable, **choices, "tags": ["second"]})
    assert client.diffVersions(deployment.id, 1, 2).choices == (
        models.Change(name="tags.second", before=None, after="second"),
    )
    assert client.rollBack(deployment.id, {"version": 1}).deployment.version == 3
    assert [one.number for one in client.versions(deployment.id, {"before": 3, "limit": 1}).versions] == [2]
    assert client.version(deployment.id, 1).version.record.summary == "the first version"

    run = client.startRun({"deployment_id": deployment.id, "idempotency_key": "one press"})
    wait_for_line(client, run.id)
    assert client.run(run.id).run.parameters == {"line": LINE}
    version = client.runVersion(run.id)
    assert (version.number, version.defaults) == (3, {"pause": 600})
    task_run = wait_for_task_run(client, run.id)
    assert task_run.task == "prepare"
    assert client.taskRun(run.id, task_run.id).states
    assert [one.id for one in client.runs({"deployment_id": deployment.id, "limit": 5}).runs] == [run.id]
    assert run.id not in [one.run_id for one in client.clusters().clusters]
    assert client.debugRun(run.id, {"kernel_id": kernel_id}).source.endswith("debug.flow(**debug.parameters)")
    assert client.cancelRun(run.id).state_type in ("CANCELLING", "CANCELLED")
    wait_for_end(client, run.id)
    parameters = {"line": LINE, "pause": 0}
    quick = client.startRun({"deployment_id": deployment.id, "parameters": parameters, "idempotency_key": "quick"})
    wait_for_end(client, quick.id, "COMPLETED")
    assert client.runResult(quick.id).kind == "none"
    assert client.retryRun(run.id).id == run.id
    client.cancelRun(run.id)
    recent = client.recentRuns({"deployment_ids": [deployment.id]}).runs[deployment.id]
    assert {one.id for one in recent} == {quick.id, run.id}
    assert client.changeRuns({"action": "cancel", "ids": ["no such run"]}).refused[0].id == "no such run"

    many = {"deployment": deployment.id, "name": "all methods", "over": {"line": "a,b"}, "concurrency": 1}
    assert client.planRunGroup(many).runs == 2
    group = client.startRunGroup(many)
    assert [one.id for one in client.runGroups().groups] == [group.id]
    assert [one.parameters for one in client.runGroup(group.id, {"offset": 1, "limit": 5}).points] == [{"line": "b"}]
    assert client.retryRunGroup(group.id).total == 2
    assert client.cancelRunGroup(group.id).state in ("cancelling", "cancelled")

    executor = {"name": "dask-cluster", "options": {"maximum": 1}}
    client.register({"kernel_id": kernel_id, "variable": flow.variable, **choices, "executor": executor})
    assert client.orderCluster(deployment.id, {"order": {"do": "start"}}).state == "running"
    client.closeCluster(deployment.id)
    client.deleteDeployment(deployment.id)

    assert browser_client.called == browser_client.methods == set(REPLIES)


def test_a_refusal_is_an_error_of_the_contract(browser_client):
    error = models.ErrorBody.model_validate(browser_client.refused("run", "00000000-0000-4000-8000-000000000000"))
    assert error.error == "RunNotFound"


@pytest.mark.parametrize(
    ("name", "said"),
    [("nowhere:Cluster", "ModuleNotFoundError"), ("distributed:Kluster", "AttributeError"), ("pbs", "module:Class")],
)
def test_a_class_that_is_not_there_is_refused(browser_client, kernel_id, name, said):
    refused = browser_client.refused("clusterClass", {"kernel_id": kernel_id, "name": name})
    error = models.ErrorBody.model_validate(refused)
    assert (error.error, said in f"{error.message} {error.fix}") == ("UnknownBackEnd", True)
