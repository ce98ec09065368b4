"""Clusters of a real SLURM: queued, replaced, given GPUs, refused, and gone with their flow run."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

import psutil
import pytest
from distributed import Client
from prefect import flow, task

from satflow_ext.cluster_providers import ProviderRequest, signature, slurm
from satflow_ext.cluster_providers.missing_worker_reasons import receive_reasons
from satflow_ext.cluster_providers.run_cluster import start_run_cluster
from satflow_ext.cluster_providers.slurm import SLURM, Node, list_nodes, summarize_jobs
from satflow_ext.errors import ClusterFailed, ClusterNotStarted, ExtraMissing, InvalidExecutorOption, SizeRefused
from satflow_ext.executors import resolve_choice
from satflow_ext.models import ExecutorChoice
from satflow_ext.registration.cluster_class import check_class
from satflow_ext.settings import GIB, Settings, SizeSettings
from tests.backends.slurm_here import said
from tests.eventually import eventually
from tests.flow_runs import log_of

HERE = {"scheduler_options": {"host": "127.0.0.1"}}
ASKED = ProviderRequest(
    1, 0, None, "tiny", 1, GIB // 2, 0, idle_timeout=60, start_timeout=120, backend="slurm", options=HERE
)
SIZES = {
    "tiny": SizeSettings(cores=1, memory=0.4),
    "gpu": SizeSettings(cores=1, memory=0.4, gpus=1),
    "wide": SizeSettings(cores=4, memory=0.4),
    "gpus": SizeSettings(cores=1, memory=0.4, gpus=2),
}
HELD = {**HERE, "job_extra_directives": ["--begin=now+1hour"]}


def jobs():
    """The jobs that are or will be: those that end take their time for it."""
    return said("squeue", "-h", "-t", "PENDING,RUNNING", "-o", "%i").split()


def choice(size="tiny", workers=1, **options):
    given = {"backend": "slurm", "n_workers": workers, "worker_size": size, "backend_options": {**HERE, **options}}
    return ExecutorChoice(name="dask-cluster", options=given)


@task
def where(number):
    time.sleep(0.5)
    return number, os.environ["SLURM_JOB_ID"]


@flow(log_prints=True)
def in_jobs(count: int = 6):
    numbers, ids = zip(*where.map(range(count)).result(), strict=True)
    print("numbers", list(numbers), "jobs", sorted(set(ids)))  # noqa: T201
    time.sleep(6)  # until somebody has looked at the job that cannot start


def test_a_flow_runs_in_jobs_and_the_log_says_what_waits(slurm, stack, registered, ran):
    here = stack.settings.model_copy(update={"worker_sizes": SIZES})
    detail = ran(registered(in_jobs, settings=here, executor=choice(workers=4)))
    log = log_of(stack, detail.run.id)
    assert detail.run.state_type == "COMPLETED", log
    assert "numbers [0, 1, 2, 3, 4, 5] jobs ['" in log
    assert "is pending (Resources)" in log
    assert "tls://" not in log
    assert jobs() == []


def test_cancelled_jobs_are_replaced_and_nothing_is_open_to_others(slurm, monkeypatch):
    monkeypatch.setenv("SATFLOW_SECRETS", "TEAM_TOKEN")
    monkeypatch.setenv("TEAM_TOKEN", "s3cret-and-long")
    told = []
    with (
        receive_reasons(told.append),
        start_run_cluster(request=asdict(replace(ASKED, workers=4))) as cluster,
        Client(cluster) as client,
    ):
        client.wait_for_workers(3, timeout=60)
        eventually(lambda: told and "is pending (Resources)" in (told[-1] or ""), "it says what is missing")
        before = said("squeue", "-h", "-t", "RUNNING", "-o", "%i").split()
        assert said("scontrol", "show", "job", before[0]).count("PRIVATE KEY") == 0
        assert not [
            word for each in psutil.process_iter(["cmdline"]) for word in each.info["cmdline"] or [] if KEY in word
        ]
        assert _answers_over_http(client) == {404}
        assert set(client.run(os.environ.get, "TEAM_TOKEN").values()) == {"s3cret-and-long"}
        assert not any(b"s3cret" in Path(f"/proc/{pid}/environ").read_bytes() for pid in client.run(os.getpid).values())
        said("scancel", before[0])
        eventually(lambda: len(jobs()) == 4 and before[0] not in jobs(), "the job was replaced")
        eventually(lambda: len(client.ncores()) == 3, "its Dask worker came")
        assert client.submit(sum, [1, 2]).result() == 3
    assert jobs() == []
    assert not list(Path().glob("slurm-*.out"))


def test_an_adaptive_cluster_has_a_job_while_there_is_work_and_gpus_are_given_to_who_asks(slurm):
    asked = replace(ASKED, gpus=1, workers=None, maximum=1)
    with start_run_cluster(request=asdict(asked)) as cluster, Client(cluster) as client:
        eventually(lambda: not jobs(), "the job that showed that there are any ended for want of work")
        future = client.submit(_place, resources={"GPU": 1})
        assert future.result(timeout=60) == ("n2", "0")
        del future
        eventually(lambda: not jobs(), "the job ended with the work")


def _place():
    return os.environ["SLURMD_NODENAME"], os.environ["CUDA_VISIBLE_DEVICES"]


@pytest.mark.parametrize(
    ("options", "timeout", "message"),
    [
        (HELD, 15, r"no Dask worker after 15 s: job \d+ is pending \(BeginTime\)"),
        ({**HERE, "job_extra_directives": ["--partition=nowhere"]}, 120, "SLURM refused a job: sbatch: error"),
    ],
)
def test_a_cluster_without_workers_is_told_and_taken_away(slurm, options, timeout, message):
    with (
        pytest.raises(ClusterNotStarted, match=message),
        start_run_cluster(request=asdict(replace(ASKED, options=options, start_timeout=timeout))),
    ):
        pass
    assert jobs() == []


def test_the_jobs_of_a_run_that_was_killed_end(slurm):
    run = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("victim.py")), json.dumps(asdict(ASKED))],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.getcwd()},
    )
    assert run.stdout.readline() == b"has a Dask worker\n"
    assert len(jobs()) == 1
    run.kill()
    run.wait()
    run.stdout.close()
    eventually(lambda: not jobs(), "the job ended")


@pytest.mark.parametrize(
    ("chosen", "error", "message"),
    [
        (choice("wide"), SizeRefused, r"largest nodes have 2 cores, 2\.0 GiB, 1 GPUs\. Choose one of tiny, gpu\."),
        (choice("gpus"), SizeRefused, r"no node for a Dask worker of size 'gpus'"),
        (choice("gpu", queue="main"), None, None),
        (choice(queue="night"), InvalidExecutorOption, r"no partition called 'night'.*Choose one of gpu, main\."),
        (choice(queu="main"), InvalidExecutorOption, r"slurm does not accept queu\. It accepts .*queue"),
    ],
)
def test_what_slurm_cannot_give_is_refused(slurm, chosen, error, message):
    def check():
        settings = Settings(worker_sizes=SIZES)
        executor = resolve_choice(chosen, settings, runs_locally=False)
        asyncio.run(check_class(executor, Path(sys.executable), settings, local=True))

    if error is None:
        check()
        return
    with pytest.raises(error, match=message):
        check()


def test_a_machine_without_slurm_is_told(monkeypatch, tmp_path):
    monkeypatch.setenv("SLURM_CONF", str(tmp_path / "none.conf"))
    monkeypatch.setattr(slurm, "COMMAND_TIMEOUT", 1)
    with pytest.raises(ClusterFailed, match="SLURM"):
        list_nodes(None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ExtraMissing, match="sbatch was not found"):
        SLURM.check_availability(ASKED, Settings())


def test_what_is_missing_is_told_with_its_reason():
    told = summarize_jobs({"a": "7", "b": "8", "c": "9"}, {"7": ("PENDING", "Resources"), "9": ("RUNNING", "None")})
    assert told.lost_names == {"b"}
    assert told.reason == "job 7 is pending (Resources), job 9 is running, job 8 has ended"


def test_the_class_says_what_it_takes():
    known = signature.read_parameters(signature.import_class(SLURM.cluster_class))
    assert not known.accepts_any
    assert {"queue", "account", "walltime", "interface", "job_script_prologue"} <= known.named.keys()


@pytest.mark.parametrize(
    ("said", "gpus"), [("(null)", 0), ("gpu:2", 2), ("gpu:a100:4(S:0-1)", 4), ("nvme:3,gpu:t4:1,gpu:2", 3)]
)
def test_gpus_are_read_as_slurm_writes_them(said, gpus, monkeypatch, tmp_path):
    sinfo = tmp_path / "sinfo"
    sinfo.write_text(f"#!/bin/sh\necho '8|1024|{said}'\n")
    sinfo.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert list_nodes(None) == [Node(8, GIB, gpus)]


def test_what_sinfo_says_in_other_words_is_shown(tmp_path, monkeypatch):
    sinfo = tmp_path / "sinfo"
    sinfo.write_text("#!/bin/sh\necho 'Maintenance on Monday'\n")
    sinfo.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(ClusterFailed, match="cannot be parsed: 'Maintenance on Monday'"):
        list_nodes(None)


def _answers_over_http(client):
    """What the ports say that Dask workers open for HTTP."""
    import urllib.error
    import urllib.request

    codes = set()
    for worker in client.scheduler_info(n_workers=-1)["workers"].values():
        for page in ("status", "metrics", "health", "info/main/workers.html"):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{worker['services']['dashboard']}/{page}", timeout=5)
            except urllib.error.HTTPError as error:
                codes.add(error.code)
    return codes


KEY = "PRIVATE KEY"
