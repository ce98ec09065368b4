"""What travels to Dask schedulers and workers by value loads where this package is not installed."""

from __future__ import annotations

import subprocess
import sys

import cloudpickle
import pytest

from satflow_ext.clusters import scheduler_reporter
from satflow_ext.dask_tasks import plugins

LOADER = """
import pickle, sys

class Missing:
    def find_spec(self, name, *_):
        if name.partition(".")[0] in ("satflow_ext", "prefect", "prefect_dask"):
            raise ModuleNotFoundError(f"No module named {name!r}")

sys.meta_path.insert(0, Missing())
print(type(pickle.load(sys.stdin.buffer)).__name__)
"""


def pickled_plugins() -> bytes:
    cloudpickle.register_pickle_by_value(plugins)
    try:
        return cloudpickle.dumps(plugins.SharedContext("run", b"", {}, {}))
    finally:
        cloudpickle.unregister_pickle_by_value(plugins)


@pytest.mark.parametrize(
    ("name", "pickled"),
    [("SchedulerReporter", scheduler_reporter.pickle_plugin), ("SharedContext", pickled_plugins)],
)
def test_a_plugin_loads_without_this_package(name, pickled):
    command = [sys.executable, "-c", LOADER]
    loaded = subprocess.run(command, input=pickled(), capture_output=True, check=False)
    assert loaded.stdout.decode().strip() == name, loaded.stderr.decode()
