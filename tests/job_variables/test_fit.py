"""Contract: what is decided, in the words of Prefect's own worker types, and what their Prefect workers would start with it."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import prefect.server.api.collections_data
import pytest

from satflow_ext.errors import InvalidInfrastructure
from satflow_ext.job_variables.fit import (
    build_job_variables,
    check_plain_text,
    other_variables_schema,
    supported_fields,
)
from satflow_ext.job_variables.template import Template, flatten_job_variables, nest_job_variables
from satflow_ext.models import Infrastructure
from tests.platforms.asked import ask

THERE = Path(__file__).with_name("there.py")
WANTED = Infrastructure(image="registry.example.com:5000/team/tiles:1.2", cpu=1.5, memory=4, env={"REGION": "north"})
AGGREGATE = Path(prefect.server.api.collections_data.__path__[0]) / "views" / "aggregate-worker-metadata.json"


@pytest.fixture(scope="module")
def packaged() -> dict[str, Template]:
    """The default templates of the worker types' own packages; and one of kubernetes as an administrator changed it."""
    kubernetes, docker = ask(THERE, [{"type": "kubernetes"}, {"type": "docker"}])
    with_gpus = copy.deepcopy(kubernetes)
    with_gpus["variables"]["properties"]["gpus"] = {"type": "integer", "title": "GPUs"}
    with_gpus["variables"]["properties"]["team"] = {"type": "string", "title": "Team"}
    with_gpus["variables"]["required"] = ["team"]
    pod = with_gpus["job_configuration"]["job_manifest"]["spec"]["template"]["spec"]
    pod["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] = "{{ gpus }}"
    found = {"kubernetes": kubernetes, "docker": docker, "gpus": with_gpus}
    return {name: Template.parse(name, {"gpus": "kubernetes"}.get(name, name), each) for name, each in found.items()}


def bundled(type_name: str) -> Template:
    """The template that a Prefect server gives a work pool of a type whose package it does not have."""
    known = {
        name: each for collection in json.loads(AGGREGATE.read_text()).values() for name, each in collection.items()
    }
    return Template.parse("bundled", type_name, known[type_name]["default_base_job_configuration"])


@pytest.fixture(scope="module")
def started(packaged):
    """What the Prefect workers would start."""
    more = {"job_variables": {"image_pull_policy": "Always"}}
    with_gpus = {"gpus": 2, "job_variables": {"team": "sky"}}
    asked = [("kubernetes", more), ("gpus", with_gpus), ("docker", {"gpus": 1, **more})]
    questions = [
        {
            "type": packaged[name].type,
            "template": {"variables": packaged[name].schema, "job_configuration": packaged[name].configuration},
            "job_variables": build_job_variables(WANTED.model_copy(update=change), packaged[name]),
        }
        for name, change in asked
    ]
    return dict(zip((name for name, _ in asked), ask(THERE, questions), strict=True))


@pytest.mark.slow
def test_kubernetes_runs_get_what_was_decided(started):
    (container,) = started["kubernetes"]["job_manifest"]["spec"]["template"]["spec"]["containers"]
    assert container["image"] == WANTED.image
    assert container["resources"] == {
        "requests": {"cpu": "1500m", "memory": "4096Mi"},
        "limits": {"cpu": "1500m", "memory": "4096Mi"},
    }
    assert container["imagePullPolicy"] == "Always"
    assert started["kubernetes"]["env"]["REGION"] == "north"


@pytest.mark.slow
def test_gpus_where_the_template_has_a_place_for_them(started):
    (container,) = started["gpus"]["job_manifest"]["spec"]["template"]["spec"]["containers"]
    assert container["resources"]["limits"]["nvidia.com/gpu"] == 2


@pytest.mark.slow
def test_docker_runs_get_what_was_decided(started):
    made = started["docker"]
    assert (made["image"], made["env"], made["image_pull_policy"]) == (WANTED.image, {"REGION": "north"}, "Always")
    host = made["host_config"]
    assert (host["NanoCpus"], host["Memory"]) == (1_500_000_000, 4 * 1024**3)
    (device,) = host["DeviceRequests"]
    assert (device["Count"], device["Capabilities"]) == (1, [["gpu"]])


@pytest.mark.slow
def test_what_work_pools_offer(packaged):
    assert {name: supported_fields(each) for name, each in packaged.items()} == {
        "kubernetes": ("image", "env", "cpu", "memory"),
        "docker": ("image", "env", "cpu", "memory", "gpus"),
        "gpus": ("image", "env", "cpu", "memory", "gpus"),
    }
    assert supported_fields(bundled("docker")) == ("image", "env", "memory")
    assert supported_fields(bundled("process")) == ("env",)
    assert supported_fields(bundled("ecs")) == ("image", "env")
    left = other_variables_schema(packaged["kubernetes"], local=False)["properties"]
    assert {"namespace", "image_pull_policy", "backoff_limit"} <= left.keys()
    assert left.keys().isdisjoint({"image", "env", "cpu_request", "memory_limit", "cluster_config"})
    assert "registry_credentials" not in other_variables_schema(packaged["docker"], local=False)["properties"], (
        "a block, which holds a password"
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("pool", "wanted", "field", "said"),
    [
        ("kubernetes", {"gpus": 1}, "gpus", r"has no job variable for gpus\. Add to its base .*nvidia\.com/gpu"),
        ("kubernetes", {"job_variables": {"imgae": "x"}}, "job_variables.imgae", "Did you mean 'image'"),
        ("kubernetes", {"job_variables": {"quota": 1}}, "job_variables.quota", "It has name, env"),
        (
            "kubernetes",
            {"job_variables": {"image_pull_policy": "often"}},
            "job_variables.image_pull_policy",
            "'often' is not one of",
        ),
        (
            "kubernetes",
            {"job_variables": {"backoff_limit": -1}},
            "job_variables.backoff_limit",
            "less than the minimum",
        ),
        ("kubernetes", {"cpu": 1, "job_variables": {"cpu_limit": "2"}}, "job_variables.cpu_limit", "set twice"),
        ("gpus", {"gpus": 1}, "job_variables.team", "requires the job variable 'team', which is not set"),
        ("docker", {"gpus": 1, "job_variables": {"container_create_kwargs": {"device_requests": []}}}, None, "twice"),
        ("docker, bundled", {"cpu": 2}, "cpu", "Add to its base job template the variable container_create_kwargs"),
        (
            "process, bundled",
            {"memory": 2},
            "memory",
            "of type process, has no job variable for memory. Add to its base job template .*memory_limit",
        ),
        ("ecs, bundled", {"cpu": 2}, "cpu", "has no job variable for cpu. It has .*cpu, memory"),
        ("empty", {"image": "python:3.11"}, "image", "Start a Prefect worker that polls it"),
    ],
)
def test_what_no_run_could_be_started_with_is_refused(packaged, pool, wanted, field, said):
    name, is_bundled, _ = pool.partition(", ")
    template = bundled(name) if is_bundled else packaged.get(pool, Template.parse("empty", "process", {}))
    with pytest.raises(InvalidInfrastructure, match=said) as caught:
        build_job_variables(Infrastructure(**wanted), template)
    assert field is None or caught.value.field == f"infrastructure.{field}"


@pytest.mark.slow
def test_what_prefect_fills_in_is_left_to_it(packaged):
    block = {"$ref": {"block_document_id": "4c1b0ad7-8c3c-4b0a-9a53-0d2f8a3e6a11"}}
    given = {"registry_credentials": block, "image_pull_policy": "{{ prefect.variables.policy }}"}
    assert build_job_variables(Infrastructure(job_variables=given), packaged["docker"]) == given


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"env": {"GITHUB": "ghp_" + "a1B2c3D4e5F6" * 3}}, "env.GITHUB"),
        ({"env": {"DB_PASSWORD": "hunter2-and-3"}}, "env.DB_PASSWORD"),
        (
            {"job_variables": {"registry_credentials": {"password": "hunter2-and-3"}}},
            "job_variables.registry_credentials.password",
        ),
    ],
)
def test_credentials_are_refused_and_not_repeated(wanted, field):
    with pytest.raises(
        InvalidInfrastructure, match=r"Prefect would store it in plain text\. Declare it by name"
    ) as caught:
        check_plain_text(Infrastructure(**wanted), local=False)
    assert caught.value.field == f"infrastructure.{field}"
    assert "hunter2" not in str(caught.value)


def test_a_block_may_stand_in_a_credentials_place():
    check_plain_text(Infrastructure(env={"DB_PASSWORD": "{{ prefect.blocks.secret.db-password }}"}), local=True)


def test_the_command_of_the_local_stack_is_its_own():
    wanted = Infrastructure(job_variables={"command": "sleep 1"})
    check_plain_text(wanted, local=False)
    with pytest.raises(InvalidInfrastructure, match="the local stack sets the command of each version itself"):
        check_plain_text(wanted, local=True)


@pytest.mark.parametrize(
    ("image", "is_one"),
    [
        ("python", True),
        ("ghcr.io/team/sub/tiles@sha256:" + "0" * 64, True),
        ("localhost:5000/a_b/c-d:1", True),
        ("Tiles:1", False),
        ("two words", False),
        ("https://registry/tiles", False),
        ("", False),
    ],
)
def test_images_are_references(image, is_one):
    assert bool(_image(image)) == is_one


def _image(text):
    try:
        return Infrastructure(image=text).image
    except ValueError:
        return None


def test_environment_variables_count_one_by_one():
    stored = {"image": "python", "env": {"A": "1", "B": "2"}}
    assert flatten_job_variables(stored) == {"image": "python", "env.A": "1", "env.B": "2"}
    assert nest_job_variables(flatten_job_variables(stored)) == stored
    assert (flatten_job_variables({}), nest_job_variables({})) == ({}, {})
