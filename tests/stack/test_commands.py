"""`satflow up`, `status`, `down` and `doctor`, as a user calls them."""

from __future__ import annotations

import json
import subprocess
import sys

from satflow_ext import endpoints
from tests.conftest import Stack
from tests.stack.conftest import Place


def satflow(place: Place, *words: str) -> subprocess.CompletedProcess[str]:
    """Call the command line in the place's environment."""
    command = [sys.executable, "-m", "satflow_ext.cli", *words]
    return subprocess.run(command, env=place.environment, capture_output=True, text=True, check=False)


def test_down_says_when_nothing_runs(light: Place) -> None:
    assert satflow(light, "down").stdout == "The local stack does not run.\n"


def test_up_stays_status_tells_and_down_ends(light: Place) -> None:
    up = satflow(light, "up")
    assert up.returncode == 0, up.stderr
    assert "… Starting the local stack" in up.stderr
    told = satflow(light, "status").stdout
    assert "stays until `satflow down`" in told
    record = endpoints.read_record(light.settings)
    assert record is not None
    assert record.stays
    whole = satflow(light, "status", "--json").stdout
    assert str(record.store_token) not in told + whole + up.stdout
    assert json.loads(whole)["supervisor"]["pid"] == record.pid
    down = satflow(light, "down")
    assert down.stdout == "The local stack has ended.\n"
    light.wait_gone()


def test_unknown_words_are_refused(light: Place) -> None:
    done = satflow(light, "status", "--jsn")
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
    done = satflow(Place(stack.settings), "doctor")
    for name in ("Prefect server", "store", "Prefect API", "work pool", "Python of the Prefect worker"):
        assert f"ok     {name}: " in done.stdout


def test_the_doctor_finds_what_does_not_answer(light: Place) -> None:
    done = satflow(light, "doctor")
    assert done.returncode == 1
    assert "wrong  Prefect API: Nothing answers" in done.stdout
    assert "→" in done.stdout
