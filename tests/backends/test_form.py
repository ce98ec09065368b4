"""The form of a cluster class: from its signature, documentation and configuration, as far as these say anything."""

from __future__ import annotations

from pathlib import Path

import pytest
from distributed import LocalCluster

import tests.platforms.asked
from satflow_ext.cluster_providers import ProviderRequest, find_provider
from satflow_ext.cluster_providers.class_form import (
    build_form,
    parse_docstrings,
    schema_of_annotation,
    schema_of_documented_type,
)
from tests.platforms.asked import ask

FORMS = Path(tests.platforms.asked.__file__).with_name("forms.py")
CLOUDS = {
    "dask_cloudprovider.gcp:GCPCluster": (40, 40, 37),
    "dask_cloudprovider.aws:EC2Cluster": (37, 37, 32),
    "dask_cloudprovider.aws:FargateCluster": (51, 48, 48),
    "dask_cloudprovider.azure:AzureVMCluster": (33, 33, 29),
    "coiled:Cluster": (74, 72, 65),
    "dask_kubernetes.operator:KubeCluster": (17, 17, 15),
}
"""Class → arguments in its form, and how many of them have a type and a description."""


class Documented(LocalCluster):
    """Clusters of this test.

    They are never made.

    Parameters
    ----------
    zone : str, optional
        Where: ``west`` or :class:`~places.East`.
    colours: {"red", "blue"}
        Which ones.
    first, second : list of int
        Numbers.

    Notes:
    -----
    Made by nobody.
    """

    def __init__(self, zone=None, colours="red", first=(), second=None, *, plain: bool = True, api_token="", **kwargs):
        super().__init__(**kwargs)


@pytest.fixture(scope="module")
def clouds():
    """The forms of classes of clouds, made with the packages themselves."""
    return ask(FORMS, [*CLOUDS, "kubernetes"])


def test_a_class_says_what_it_can_be_told():
    found = build_form(f"{__name__}:Documented")
    properties = found.options_schema["properties"]
    assert properties["zone"] == {"title": "zone", "type": "string", "description": "Where: west or places.East."}
    assert properties["colours"] == {
        "title": "colours",
        "enum": ["red", "blue"],
        "description": "Which ones.",
        "default": "red",
    }
    assert properties["second"]["items"] == {"type": "integer"} == properties["first"]["items"]
    assert properties["plain"] == {"title": "plain", "type": "boolean", "default": True}
    assert list(properties)[:2] == ["zone", "colours"], "its own come first"
    assert "threads_per_worker" in properties, "what it hands on"
    assert properties.keys().isdisjoint({"n_workers", "asynchronous", "loop", "api_token"})
    assert (found.hidden, found.purpose, found.open) == (("api_token",), "Clusters of this test.", False)


@pytest.mark.slow
@pytest.mark.parametrize("name", CLOUDS)
def test_classes_of_clouds_say_nearly_everything(clouds, name):
    """Contract: what the signatures and documentation of these packages say, of versions that are pinned."""
    properties = clouds[name]["options_schema"]["properties"]
    typed = [each for each in properties.values() if each.keys() & {"type", "anyOf", "enum", "$ref", "allOf"}]
    described = [each for each in properties.values() if "description" in each]
    assert (len(properties), len(typed), len(described)) == CLOUDS[name]
    assert "n_workers" not in properties


@pytest.mark.slow
def test_the_class_of_a_back_end_takes_what_it_is_called_with(clouds):
    """Of the arguments, and of the form for what is left to say."""
    shown = clouds["kubernetes"]["options_schema"]["properties"].keys()
    back_end = find_provider("kubernetes")
    assert shown >= {"image", "env", "namespace", "scheduler_service_type", "custom_cluster_spec"}
    assert shown.isdisjoint(back_end.owned_arguments)
    options = {"image": "team/dask:1", "namespace": "night"}
    arguments = back_end.make_arguments(
        ProviderRequest(1, 0, None, None, None, None, 0, 60, 60, backend="kubernetes", options=options)
    )
    assert (
        set(arguments) - shown == {"resource_timeout", "shutdown_on_close", "quiet"} <= back_end.owned_arguments.keys()
    )
    assert (arguments["namespace"], arguments["resource_timeout"]) == ("night", 60)
    assert arguments["custom_cluster_spec"]["metadata"]["name"].startswith("satflow-")


@pytest.mark.slow
def test_defaults_of_the_configuration_are_shown(clouds):
    gcp, kubernetes = (
        clouds[name]["options_schema"]["properties"]
        for name in ("dask_cloudprovider.gcp:GCPCluster", "dask_kubernetes.operator:KubeCluster")
    )
    assert gcp["zone"]["default"] == "us-east1-c"
    assert gcp["machine_type"]["default"] == "n1-standard-1"
    assert kubernetes["image"]["default"] == "ghcr.io/dask/dask:latest"


@pytest.mark.slow
def test_credentials_are_not_asked_for(clouds):
    hidden = {name: each["hidden"] for name, each in clouds.items() if each["hidden"]}
    assert hidden == {
        "dask_cloudprovider.gcp:GCPCluster": ["service_account_credentials"],
        "dask_cloudprovider.aws:FargateCluster": ["aws_access_key_id", "aws_secret_access_key"],
        "coiled:Cluster": ["credentials"],
    }


@pytest.mark.parametrize(
    ("words", "schema"),
    [
        ("int", {"type": "integer"}),
        ("str, optional", {"type": "string"}),
        ("bool (optional)", {"type": "boolean"}),
        ("str or None, default None", {"type": "string"}),
        ("str, float, int, or None", {"anyOf": [{"type": "string"}, {"type": "number"}, {"type": "integer"}]}),
        ("List[str]", {"type": "array", "items": {"type": "string"}}),
        ("Dict[str, str]", {"type": "object"}),
        ("list of dicts", {"type": "array", "items": {"type": "object"}}),
        ("logging level", {}),
        ("", {}),
    ],
)
def test_types_in_words(words, schema):
    assert schema_of_documented_type(words) == schema


def test_types_that_json_cannot_tell_say_nothing():
    assert schema_of_annotation(LocalCluster) == {}
    assert schema_of_annotation(int | None) == {"anyOf": [{"type": "integer"}, {"type": "null"}]}


def test_sections_that_are_indented_are_read():
    def indented():
        """Says.

            Parameters
            ----------
            zone: str
                Where.
        margin
        """

    assert parse_docstrings([indented])["zone"] == ("str", "Where.")
