"""What guards the Dask workers of a gateway's clusters, read by a worker with this package and by one without."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from distributed.protocol.pickle import dumps

from satflow_ext.gateways.worker_guard import make_guard_plugin

pytestmark = pytest.mark.slow

WITHOUT = Path(__file__).parent.parent / "dask_tasks" / "without"
READER = """
import os, pickle, sys
pickle.load(sys.stdin.buffer).setup(None)
print(os.environ.get("A_SECRET"))
"""


@pytest.mark.parametrize(("path", "has"), [("", "value"), (str(WITHOUT), "None")], ids=["with", "without"])
def test_secrets_go_only_where_they_are_guarded_and_no_worker_fails(path, has):
    sent = dumps(make_guard_plugin({"A_SECRET": "value", "SATFLOW_SECRETS": "A_SECRET"}))
    environment = {**os.environ, "PYTHONPATH": path}
    done = subprocess.run([sys.executable, "-c", READER], input=sent, env=environment, capture_output=True, check=True)
    assert done.stdout.decode().strip() == has
