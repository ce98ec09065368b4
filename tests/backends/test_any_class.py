"""Clusters of any class: refused where they cannot be had, ready in time or taken away, and ended with their flow run."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest
from distributed import Client

from satflow_ext import executors
from satflow_ext.cluster_providers import ProviderRequest
from satflow_ext.cluster_providers.address_redaction import redact_addresses
from satflow_ext.cluster_providers.run_cluster import start_run_cluster
from satflow_ext.errors import ClusterNotStarted, InvalidExecutorOption, SizeRefused, UnknownBackEnd
from satflow_ext.models import ExecutorChoice
from satflow_ext.settings import Settings
from tests.backends import clusters

MODULE = clusters.__name__
ASKED = ProviderRequest(
    1, 0, None, None, None, None, 0, idle_timeout=60, start_timeout=60, backend=f"{MODULE}:Small", options={}
)


def choice(**options):
    return ExecutorChoice(name="dask-cluster", options=options)


def entered(asked):
    with start_run_cluster(request=asdict(asked)):
        pass


@pytest.fixture(autouse=True)
def events():
    clusters.events.clear()
    return clusters.events


@pytest.mark.parametrize(
    ("options", "error", "said", "field"),
    [
        ({"backend": "gatewy"}, UnknownBackEnd, "Did you mean 'gateway'", "backend"),
        ({"backend": "pbs"}, UnknownBackEnd, "Choose one of gateway", "backend"),
        ({"backend": "a b:C"}, UnknownBackEnd, "module:Class", "backend"),
        ({"backend": "m:C", "share": "deployment"}, InvalidExecutorOption, "ends with its flow run", "share"),
        ({"backend": "m:C", "gateway": "team"}, InvalidExecutorOption, "is not a Dask Gateway", "gateway"),
        ({"backend": "m:C", "worker_size": "large"}, SizeRefused, "does not support worker sizes", "worker_size"),
        (
            {"backend": "m:C", "backend_options": {"n_workers": 3}},
            InvalidExecutorOption,
            "Use the executor option n_workers",
            None,
        ),
        ({"backend": "m:C", "backend_options": {"loop": 1}}, InvalidExecutorOption, "Leave it out", None),
        ({"backend": "m:C", "backend_options": "{"}, InvalidExecutorOption, "must be a JSON object", None),
        ({"backend": "m:C", "backend_options": [1]}, InvalidExecutorOption, "must be a JSON object", None),
        ({"backend_options": {"queue": "main"}}, InvalidExecutorOption, "Choose another backend", None),
    ],
)
@pytest.mark.parametrize("here", [True, False])
def test_options_that_make_no_sense_are_refused(options, error, said, field, here):
    with pytest.raises(error, match=said) as caught:
        executors.validate_choice(choice(**options), Settings(), runs_locally=here)
    assert caught.value.field == f"executor.options.{field or 'backend_options'}"


def test_a_class_has_a_cluster_for_each_run_and_takes_its_options_as_text():
    chosen = executors.validate_choice(choice(backend="m:C", backend_options='{"zone": "x"}'), Settings())
    assert (chosen.options["share"], chosen.options["backend_options"]) == ("run", {"zone": "x"})
    assert executors.validate_choice(choice(), Settings(), runs_locally=False).options["share"] == "deployment"


@pytest.mark.cluster
def test_a_cluster_is_as_it_was_asked_for_and_replaces_workers(events):
    asked = replace(ASKED, options={"note": "it"}, workers=2, idle_timeout=4)
    with start_run_cluster(request=asdict(asked)) as cluster, Client(cluster) as client:
        assert cluster.dashboard_link is None
        client.wait_for_workers(2, timeout=60)
        assert client.submit(sum, [1, 2]).result() == 3
        lost = next(iter(client.scheduler_info(n_workers=-1)["workers"]))
        client.retire_workers([lost])
        client.wait_for_workers(2, timeout=60)
        assert lost not in client.scheduler_info(n_workers=-1)["workers"]
    assert events == ["made 2 60 it", "closed"]


@pytest.mark.cluster
def test_a_cluster_follows_the_work():
    """Its first Dask worker is there when the first task comes, and none has to stay."""
    with (
        start_run_cluster(request=asdict(replace(ASKED, workers=None, maximum=1))) as cluster,
        Client(cluster) as client,
    ):
        assert len(client.scheduler_info(n_workers=-1)["workers"]) == 1
        assert client.submit(sum, [1, 2]).result() == 3


@pytest.mark.parametrize(
    ("name", "options", "said", "happened"),
    [
        ("NeverStarts", {}, r"created no cluster within 1 s", ["begun", "ended"]),
        ("NoWorkers", {}, r"no Dask worker after 1 s", ["scaled 1", "closed"]),
        ("Broken", {"region": "mars"}, "RuntimeError: no such region: mars", []),
        ("Broken", {}, "TypeError: .*region", []),
        ("Gone", {}, "AttributeError: .*Gone", []),
        ("fixed", {}, "cannot be scaled to a number of Dask workers", []),
    ],
)
def test_a_cluster_that_is_not_ready_in_time_is_told_and_taken_away(name, options, said, happened, events):
    asked = replace(ASKED, backend=f"{MODULE}:{name}", options=options, start_timeout=1)
    with pytest.raises(ClusterNotStarted, match=said):
        entered(asked)
    assert events == happened


@pytest.mark.slow
def test_a_cluster_that_would_follow_the_work_and_gives_no_worker_is_told_and_taken_away(events):
    asked = replace(ASKED, backend=f"{MODULE}:NoWorkers", workers=None, maximum=1, start_timeout=3)
    with pytest.raises(ClusterNotStarted, match=r"no Dask worker after 3 s\. Increase start_timeout"):
        entered(asked)
    assert events[-1] == "closed"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "Timed out trying to connect to tls://10.0.0.7:8786 after 30 s.",
            "Timed out trying to connect to … after 30 s",
        ),
        ("[Errno 113] Connect call failed ('192.0.2.11', 22)", "[Errno 113] Connect call failed …"),
        ("Host key is not trusted for host node1", "Host key is not trusted for host …"),
        ("no partition 'night':\n  choose", "no partition 'night': choose"),
    ],
)
def test_where_a_cluster_is_stays_out_of_what_is_said_of_it(text, said):
    assert redact_addresses(text, "node1") == said
