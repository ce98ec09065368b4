"""An order to the process that manages clusters ends with its caller, and leaves no cluster that is not ready."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from dataclasses import replace
from uuid import uuid4

import psutil
import pytest

from satflow_ext.gateways import shared_clusters
from satflow_ext.gateways.cluster_manager import EXIT_INTERRUPTED, SharedClusterManager
from satflow_ext.gateways.cluster_process import ClusterCommand, run_command
from satflow_ext.gateways.connection import connect_gateway, locate_gateway
from satflow_ext.settings import load_settings
from tests.eventually import eventually
from tests.gateways.requests import ONE

CALLER = """
import asyncio, sys
from satflow_ext.gateways.cluster_process import ClusterCommand, run_command
asyncio.run(run_command(ClusterCommand.model_validate_json(sys.stdin.read())))
"""
# The end of standard input is read while the thread that waits for it still starts.
INTERRUPTED_AT_ITS_START = """
import sys, threading, time
start = threading.Thread.start
threading.Thread.start = lambda thread: (start(thread), time.sleep(60))
from satflow_ext.gateways.cluster_manager import main
sys.exit(main())
"""
PATIENCE = 300.0


@pytest.fixture(scope="module")
def gateway(stack):
    with locate_gateway("", stack.settings) as where, connect_gateway(where) as client:
        yield client


@pytest.fixture
def never_ready(stack, tmp_path):
    """An order for a cluster whose scheduler never answers."""
    interpreter = tmp_path / "python"
    interpreter.write_text("#!/bin/sh\nexec sleep 600\n")
    interpreter.chmod(0o700)
    wanted = replace(ONE, python=str(interpreter), start_timeout=600)
    command = ClusterCommand(verb="start", request=wanted, label=str(uuid4()), settings=stack.settings)
    yield command
    SharedClusterManager(wanted, command.label, stack.settings).close()


@pytest.fixture
def has_cluster(gateway, never_ready):
    return lambda: shared_clusters.list_shared_clusters(gateway, never_ready.label)


@pytest.fixture
def caller(never_ready):
    """A process that has given the order and waits."""
    with subprocess.Popen([sys.executable, "-c", CALLER], stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdin.write(never_ready.model_dump_json().encode())
        process.stdin.close()
        yield process
        process.kill()


def test_a_cancelled_order_has_closed_its_cluster_when_the_cancellation_is_over(never_ready, has_cluster):
    async def cancel():
        order = asyncio.create_task(run_command(never_ready))
        await asyncio.to_thread(eventually, has_cluster, "the cluster", PATIENCE)
        order.cancel()
        await asyncio.wait([order])
        return order.cancelled()

    assert asyncio.run(cancel())
    assert not has_cluster()


@pytest.mark.parametrize("killed", ["caller", "process"])
def test_nothing_is_left_when_the_caller_or_the_process_is_ended(killed, caller, has_cluster):
    eventually(has_cluster, "the cluster", PATIENCE)
    process = psutil.Process(caller.pid).children()[0]
    if killed == "caller":
        caller.send_signal(signal.SIGKILL)
    else:
        process.send_signal(signal.SIGTERM)
    eventually(lambda: not process.is_running() or process.status() == psutil.STATUS_ZOMBIE, "its end", PATIENCE)
    assert not has_cluster()


@pytest.mark.slow
def test_a_process_that_is_interrupted_at_its_start_ends_without_a_traceback():
    command = ClusterCommand(verb="read", request=ONE, label=str(uuid4()), settings=load_settings())
    words = command.model_dump_json().encode()
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED_AT_ITS_START], input=words, capture_output=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (EXIT_INTERRUPTED, b"", b"")
