"""The published list: every field that reaches the Prefect API, and the user data that it can contain.

docs/what-prefect-sees.md is generated from it (`scripts/what-prefect-sees`). A test compares it with recorded traffic: exactly
the listed fields are sent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Activity = Literal["registering", "running", "watching", "Prefect worker"]


@dataclass(frozen=True)
class Call:
    """One kind of request to the Prefect API, or of message on a websocket to it.

    Args:
        activity: the activity that sends it.
        call: method and path, as `POST /deployments/`; `WS` is a message on a websocket. `*` matches any text.
        facts_by_field: JSON path, `(path)` or `header:name` → its possible facts, separated by commas. `*` matches any text.
        plain_fields: the other fields, separated by spaces.
        is_rare: whether it is sent only in rare cases, so that no test can wait for it.
    """

    activity: Activity
    call: str
    facts_by_field: Mapping[str, str] = field(default_factory=dict)
    plain_fields: str = ""
    is_rare: bool = False

    def find_field_facts(self, name: str) -> frozenset[str] | None:
        """Return the facts that a field may contain; None if it is not a field of this call."""
        for pattern, facts in self.facts_by_field.items():
            if matches_pattern(pattern, name):
                return frozenset(facts.split(", "))
        return frozenset() if any(matches_pattern(pattern, name) for pattern in self.plain_fields.split()) else None


def matches_pattern(pattern: str, text: str) -> bool:
    """Return whether a text matches a pattern of this list."""
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), text) is not None


STATE = "state state.data state.message state.name state.type state.state_details state.state_details.traceparent"
RETRIES = "empirical_policy empirical_policy.*"

CALLS: tuple[Call, ...] = (
    Call(
        "registering",
        "any",
        {
            "header:authorization": "credential",
            "header:x-prefect-deployment-name": "name",
            "header:x-prefect-flow-name": "name",
            "header:x-prefect-worker-name": "name",
        },
        "header:accept header:accept-encoding header:connection header:content-* header:host header:user-agent "
        "header:sec-websocket-* header:upgrade header:x-prefect-api-version header:x-prefect-*-id "
        "header:prefect-csrf-*",
    ),
    Call("registering", "GET /csrf-token", plain_fields="(path) (query)"),
    Call("registering", "GET /deployments/name/*", {"(path)": "name"}),
    Call("registering", "GET /deployments/{id}", plain_fields="(path)"),
    Call("registering", "GET /work_pools/*", {"(path)": "name"}),
    Call("registering", "GET /variables/name/*", {"(path)": "write marker"}),
    Call("registering", "POST /variables/", {"name": "write marker", "value": "write marker"}, "(path) tags tags[]"),
    Call("registering", "PATCH /variables/name/*", {"(path)": "write marker", "value": "write marker"}),
    Call("registering", "DELETE /variables/name/*", {"(path)": "write marker"}),
    Call("registering", "DELETE /deployments/{id}", plain_fields="(path)"),
    Call("registering", "PATCH /deployments/{id}", plain_fields="(path) paused"),
    Call("registering", "PATCH /deployments/{id}/schedules/{id}", plain_fields="(path) active"),
    Call("registering", "GET /block_types/slug/*", {"(path)": "name"}, is_rare=True),
    Call("registering", "DELETE /automations/{id}", plain_fields="(path)", is_rare=True),
    *(
        Call(
            "registering",
            call,
            {"name": "name", "tags[]": "name"},
            "(path) description enabled trigger trigger.* actions actions[].* tags owner_resource",
            is_rare=True,
        )
        for call in ("POST /automations/", "PUT /automations/{id}")
    ),
    Call("registering", "POST /events", plain_fields="(path) *", is_rare=True),
    Call("registering", "POST /flows/", {"name": "name"}, "(path) labels tags"),
    Call(
        "registering",
        "POST /deployments/",
        {
            "name": "name",
            "tags[]": "name",
            "work_pool_name": "name",
            "description": "description",
            "parameter_openapi_schema.*": "parameter schema",
            "parameters.*": "parameter value",
            "pull_steps[].satflow_ext.runtime.pull.manifest": "digest",
            "pull_steps[].satflow_ext.runtime.pull.store": "name",
            "schedules[].schedule.*": "schedule",
            "schedules[].slug": "name",
            "schedules[].parameters.*": "parameter value",
            "job_variables.command": "command",
            "job_variables.*": "job variable",
        },
        "(path) concurrency_limit concurrency_options concurrency_options.* enforce_parameter_schema entrypoint flow_id "
        "infrastructure_document_id job_variables labels parameter_openapi_schema parameters path paused pull_steps "
        "pull_steps[].satflow_ext.runtime.pull schedules schedules[].active "
        "schedules[].parameters schedules[].schedule storage_document_id tags version "
        "work_queue_name",
    ),
    Call(
        "registering",
        "POST /deployments/{id}/create_flow_run",
        {"parameters.*": "parameter value", "name": "name, parameter value", "tags[]": "name"},
        "(path) idempotency_key parameters tags",
    ),
    Call(
        "running",
        "POST /logs/",
        {
            "[].message": (
                "name, log line, state message, secret name, place in code, types of exceptions, messages of exceptions, "
                "lines of code, places, packages"
            )
        },
        "(path) [].flow_run_id [].level [].name [].task_run_id [].timestamp",
    ),
    Call(
        "running",
        "POST /flow_runs/{id}/set_state",
        {
            "state.message": (
                "name, state message, secret name, types of exceptions, messages of exceptions, places, packages"
            ),
            "state.data.storage_key": "result key, places",
        },
        f"(path) force {STATE} state.state_details.* state.data.*",
    ),
    Call("running", "DELETE /flow_runs/{id}", plain_fields="(path)", is_rare=True),
    Call(
        "running",
        "PATCH /flow_runs/{id}/labels",
        {"satflow.result": "name, result reference", "satflow.inputs.*": "name, reference to inputs"},
        "(path) satflow.version",
    ),
    Call(
        "running",
        "PATCH /flow_runs/{id}",
        {"name": "name", "flow_version": "flow version"},
        f"(path) {RETRIES} infrastructure_pid",
    ),
    Call(
        "running",
        "POST /flow_runs/",
        {"parameters.*": "arguments of nested flows", "flow_version": "flow version"},
        f"(path) context flow_id name parameters parent_task_run_id tags {RETRIES} {STATE}",
    ),
    Call(
        "running",
        "POST /task_runs/",
        {"name": "name", "task_key": "name", "task_inputs.*": "name"},
        "(path) cache_expiration cache_key dynamic_key flow_run_id labels tags task_inputs task_version "
        f"{RETRIES} {STATE} state.state_details.*",
    ),
    Call(
        "running",
        "POST /artifacts/",
        {"data": "artifact", "key": "artifact", "description": "artifact"},
        "(path) *_run_id type",
    ),
    Call("running", "PATCH /artifacts/{id}", {"data": "artifact", "description": "artifact"}, "(path)"),
    Call("running", "GET /block_types/slug/secret/*", {"(path)": "secret name"}, "(query)"),
    Call("running", "POST /v2/concurrency_limits/leases/{id}/renew", plain_fields="(path) lease_duration"),
    Call("running", "POST /v2/concurrency_limits/increment-with-lease", {"names[]": "name"}, "*"),
    Call("running", "GET /admin/*", plain_fields="(path)"),
    Call("running", "GET /flow_runs/{id}", plain_fields="(path)"),
    Call("running", "GET /flows/{id}", plain_fields="(path)"),
    Call("running", "GET /events/in", plain_fields="(path)"),
    Call(
        "running",
        "WS /events/in",
        {
            "token": "credential",
            "payload.task_run.name": "name",
            "payload.task_run.tags[]": "name",
            "payload.task_run.task_key": "name",
            "payload.task_run.task_inputs.*": "name",
            "payload.inputs.store": "name",
            "payload.inputs.manifest": "digest",
            "payload.key": "artifact",
            "payload.description": "artifact",
            "payload.validated_state.message": "types of exceptions, messages of exceptions, places",
            "payload.validated_state.data.storage_key": "result key, places",
            "related[].prefect.resource.id": "name",
            "related[].prefect.resource.name": "name",
            "resource.prefect.resource.id": "name",
            "resource.prefect.resource.name": "name, artifact, secret name",
            "resource.prefect.state-message": "types of exceptions, messages of exceptions, places",
        },
        "(path) event follows id occurred payload payload.* related related[].* resource resource.* type",
    ),
    Call("Prefect worker", "GET /work_queues/{id}", plain_fields="(path)"),
    Call("Prefect worker", "PATCH /flow_runs/{id}/labels", {"*.name": "name"}, "(path) prefect.*"),
    Call(
        "Prefect worker",
        "POST /work_pools/*/workers/heartbeat",
        {"(path)": "name", "name": "name"},
        "heartbeat_interval_seconds metadata metadata.* type work_pool_id",
        is_rare=True,
    ),
    Call(
        "Prefect worker",
        "POST /work_pools/",
        {"name": "name"},
        "(path) type base_job_template description",
        is_rare=True,
    ),
    Call(
        "Prefect worker",
        "PATCH /work_pools/*",
        {"(path)": "name"},
        "base_job_template base_job_template.* description",
        is_rare=True,
    ),
    Call("Prefect worker", "POST /work_pools/*/*", {"(path)": "name"}, "limit offset scheduled_before work_queue*"),
    Call(
        "Prefect worker",
        "WS /work_pools/*/workers/connect",
        {"(path)": "name", "payload.worker_name": "name", "token": "credential"},
        "id payload payload.* sent_at type",
    ),
    Call("running", "WS control", plain_fields="(body)"),
    Call("watching", "POST /*/filter", plain_fields="*"),
    Call("watching", "POST /task_runs/count", plain_fields="(path) task_runs task_runs.*"),
    Call("watching", "GET /task_runs/{id}", plain_fields="(path)"),
    Call("watching", "GET /task_run_states/", plain_fields="(path) (query)"),
    Call("watching", "GET /flow_run_states/", plain_fields="(path) (query)"),
    Call("watching", "GET /events/out", plain_fields="(path)"),
    Call("watching", "WS /events/out", {"token": "credential"}, "(path) filter filter.* type"),
    Call("watching", "GET /logs/out", plain_fields="(path)"),
    Call("watching", "WS /logs/out", {"token": "credential"}, "(path) filter filter.* type"),
)
"""All calls. `payload.*` of events and of a Prefect worker's first message is Prefect's own data: states, retries, times, and the
settings of work pools of its type."""


def find_facts(call: str, name: str) -> frozenset[str] | None:
    """Return the facts that a field of a call may contain; None if it is not on the list."""
    found = [each.find_field_facts(name) for each in CALLS if matches_pattern(each.call, call)]
    known = [each for each in found if each is not None]
    return frozenset().union(*known) if known else None
