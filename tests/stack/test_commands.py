"""`satflow up`, `status`, `down` and `doctor`, as a user calls them."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time

import pytest

from satflow_ext import endpoints
from satflow_ext.stack import stack_processes
from tests.eventually import eventually
from tests.local_stack import Stack
from tests.stack.place import Place


def test_down_says_when_nothing_runs(light: Place) -> None:
    assert light.satflow("down").stdout == "The local stack is not running.\n"


def test_up_stays_status_tells_and_down_ends(light: Place) -> None:
    up = light.satflow("up")
    assert up.returncode == 0, up.stderr
    assert "… Starting the local stack" in up.stderr
    told = light.satflow("status").stdout
    assert "stays until `satflow down`" in told
    record = endpoints.read_record(light.settings)
    assert record is not None
    assert record.stays
    whole = light.satflow("status", "--json").stdout
    assert str(record.store_token) not in told + whole + up.stdout
    assert json.loads(whole)["supervisor"]["pid"] == record.pid
    down = light.satflow("down")
    assert down.stdout == "The local stack has stopped.\n"
    light.wait_gone()


def test_up_gives_up_at_its_timeout_and_leaves_nothing(whole: Place) -> None:
    up = whole.satflow("up", "--timeout", "0.5")
    assert up.returncode == 1
    assert "was not ready after 0.5 s" in up.stderr
    eventually(lambda: not whole.processes(), "every process of the stack to end", seconds=60)


def test_a_server_that_does_not_listen_yet_is_waited_for_at_little_cost() -> None:
    """Looking through all processes of the machine ten times a second once took as long as the server's own start."""
    begun = time.process_time()
    stack_processes.list_processes("no stack")
    all_processes = time.process_time() - begun
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        begun = time.process_time()
        assert not any(stack_processes.listens_on_port("no stack", bound.getsockname()[1]) for _ in range(20))
        assert (time.process_time() - begun) / 20 < all_processes / 4


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "inf", "soon"])
def test_a_timeout_is_a_number_of_seconds(light: Place, seconds: str) -> None:
    up = light.satflow("up", "--timeout", seconds)
    assert up.returncode == 2
    assert "--timeout" in up.stderr


def test_unknown_words_are_refused(light: Place) -> None:
    done = light.satflow("status", "--jsn")
    assert done.returncode == 1
    assert "--jsn" in done.stderr


def test_wrong_settings_are_told_in_words(light: Place) -> None:
    command = [sys.executable, "-m", "satflow_ext.cli", "status"]
    environment = {**light.environment, "SATFLOW_CONTENT_LIMIT": "-1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "content_limit" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_doctor_finds_the_store_prefect_and_its_worker_well(stack: Stack) -> None:
    done = Place(stack.settings).satflow("doctor")
    for name in ("Prefect server", "store", "Prefect API", "work pool", "Python of the Prefect worker"):
        assert f"ok     {name}: " in done.stdout


def test_the_doctor_finds_what_does_not_answer(light: Place) -> None:
    done = light.satflow("doctor")
    assert done.returncode == 1
    assert "wrong  Prefect API: Nothing answers" in done.stdout
    assert "→" in done.stdout
