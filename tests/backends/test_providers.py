"""The records of the cluster providers: each one has what the other modules ask it for."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from satflow_ext import cluster_providers, executors
from satflow_ext.cluster_providers import CLASS_PATH, signature
from satflow_ext.errors import BadRequest, InvalidExecutorOption
from satflow_ext.executors.dask_cluster import DaskClusterOptions, provider_request
from satflow_ext.models import ExecutorChoice
from satflow_ext.registration.cluster_class import read_class_form
from satflow_ext.settings import Settings

SETTINGS = Settings()
PROVIDERS = (*cluster_providers.PROVIDERS, cluster_providers.find_provider("package.module:Class"))
SOME_VALUES = {"gateway": "team", "share": "deployment", "backend_options": {"zone": "x"}}
"""A value for each option that some providers accept and others refuse."""

each_provider = pytest.mark.parametrize("provider", PROVIDERS, ids=lambda each: each.name)


def test_names_of_providers_are_unique_and_begin_with_the_default():
    assert len(set(cluster_providers.NAMES)) == len(cluster_providers.PROVIDERS)
    assert cluster_providers.NAMES[0] == cluster_providers.DEFAULT_NAME == DaskClusterOptions().backend


@each_provider
def test_provider_is_found_by_its_name(provider):
    assert cluster_providers.find_provider(provider.name) == provider


@each_provider
def test_options_that_a_record_names_exist(provider):
    assert provider.accepted_options <= SOME_VALUES.keys() <= DaskClusterOptions.model_fields.keys()
    assert {each for each in provider.owned_arguments.values() if each} <= DaskClusterOptions.model_fields.keys()


@each_provider
def test_factory_accepts_the_arguments_of_the_record(provider):
    request = provider_request(DaskClusterOptions(backend=provider.name), SETTINGS)
    parameters = signature.read_parameters(signature.import_class(provider.cluster_factory))
    assert set(provider.make_factory_arguments(request)) == set(parameters.named) == set(parameters.required)


@each_provider
def test_class_is_a_path_if_there_is_one(provider):
    assert not provider.cluster_class or CLASS_PATH.fullmatch(provider.cluster_class)
    assert provider.cluster_class or not provider.install


@each_provider
def test_runs_share_a_cluster_by_default_where_they_can(provider):
    expected = "deployment" if provider.is_shareable else "run"
    assert DaskClusterOptions(backend=provider.name).share == expected


@each_provider
@pytest.mark.parametrize("option", SOME_VALUES)
def test_option_that_the_provider_does_not_accept_is_refused(provider, option):
    if option in provider.accepted_options:
        return
    options = {"backend": provider.name, option: SOME_VALUES[option]}
    with pytest.raises(InvalidExecutorOption) as caught:
        executors.validate_choice(ExecutorChoice(name="dask-cluster", options=options), SETTINGS, runs_locally=False)
    assert caught.value.field == f"executor.options.{option}"


def test_only_the_gateway_of_this_machine_divides_its_memory():
    local = {
        each.name for each in PROVIDERS if provider_request(DaskClusterOptions(backend=each.name), SETTINGS).memory
    }
    assert local == {"gateway"}
    assert provider_request(DaskClusterOptions(gateway="team"), SETTINGS).memory is None


def test_provider_without_a_class_has_no_form():
    with pytest.raises(BadRequest, match=r"^A Dask Gateway has no class\."):
        asyncio.run(read_class_form("gateway", Path(sys.executable)))
