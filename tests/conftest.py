"""What the tests share: a home of their own, one local stack that really runs, and a second Prefect server.

No test touches the user's folders: before anything is collected, `HOME`, `SATFLOW_*` and `PREFECT_*` point into a folder that
is made for this run and removed after it. Whatever still runs then with that folder in its environment has leaked.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import platformdirs
import psutil
import pytest
from hypothesis import HealthCheck
from hypothesis import settings as generated_tests

from satflow_ext import endpoints, lease
from satflow_ext.endpoints import PrefectApi
from satflow_ext.settings import config_file, load_settings
from tests.kinds import mark_kind
from tests.local_stack import Stack
from tests.order import longest_first
from tests.prefect_servers import serving_prefect
from tests.processes import describe_process, processes_of

HOUSE = pytest.StashKey[Path]()
FIXTURES = ("deployments", "kernels", "notebooks", "ports", "prefect_api", "wheel")
"""The modules of `tests/fixtures`, imported only when no test can touch the user's folders any more."""
SWITCHES = ("SATFLOW_EVERY_KILL", "SATFLOW_TEST_VERSIONS")
"""What says how much is tested; it is no setting of SatFlow's."""

# A busy machine is slow, and nothing is wrong with it.
generated_tests.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
generated_tests.load_profile("any machine")


def pytest_configure(config: pytest.Config) -> None:
    # A shell's background job ignores SIGINT and hands that on, and a Prefect worker turns its SIGTERM into one.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # Packages that were fetched before need not be fetched again.
    os.environ.setdefault("UV_CACHE_DIR", str(platformdirs.user_cache_dir("uv")))
    for name, file in (("UV_CONFIG_FILE", "uv/uv.toml"), ("PIP_CONFIG_FILE", "pip/pip.conf")):
        if (settings_file := platformdirs.user_config_path() / file).exists():
            os.environ.setdefault(name, str(settings_file))
    # Short: a unix socket's path may have about 100 bytes.
    house = config.stash[HOUSE] = Path(tempfile.mkdtemp(prefix="satflow-tests-", dir="/tmp"))
    for name in [name for name in os.environ if name.startswith(("PREFECT_", "SATFLOW_", "JUPYTERHUB_"))]:
        if name not in SWITCHES:
            del os.environ[name]
    folders = {
        "HOME": house / "home",
        "XDG_RUNTIME_DIR": house / "xdg",
        "SATFLOW_STATE_DIR": house / "state",
        "SATFLOW_RUNTIME_DIR": house / "run",
        "SATFLOW_CACHE_DIR": house / "cache",
        "PREFECT_HOME": house / "prefect",
    }
    for name, folder in folders.items():
        folder.mkdir(mode=0o700)
        os.environ[name] = str(folder)
    os.environ["SATFLOW_CONFIG"] = str(house / "satflow.toml")
    os.environ["SLURM_CONF"] = str(house / "slurm" / "slurm.conf")  # for flow runs as well, whenever the stack starts
    os.environ["PREFECT_SERVER_ALLOW_EPHEMERAL_MODE"] = "false"
    for name in FIXTURES:
        config.pluginmanager.import_plugin(f"tests.fixtures.{name}")


@pytest.hookimpl(tryfirst=True)  # before `-m` selects
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        mark_kind(item)
    longest_first(items)


def pytest_unconfigure(config: pytest.Config) -> None:
    shutil.rmtree(config.stash[HOUSE], ignore_errors=True)


@pytest.fixture(scope="session")
def house(request: pytest.FixtureRequest) -> Path:
    """The folder of this test run."""
    return request.config.stash[HOUSE]


@pytest.fixture
def settings_file(house: Path) -> Iterator[Path]:
    """The settings file, for a test to write. The local stack's flow runs read it as well."""
    file = config_file()
    assert file.parent == house
    yield file
    file.unlink(missing_ok=True)


@pytest.fixture(scope="session", autouse=True)
def no_leaks(house: Path) -> Iterator[None]:
    """At the end of the run, no process is left that a test started."""
    yield
    deadline = time.monotonic() + 10
    while (left := processes_of(house)) and time.monotonic() < deadline:
        time.sleep(0.1)
    names = [name for process in left if (name := describe_process(process))]
    for process in left:
        with contextlib.suppress(psutil.Error):
            process.kill()
    assert not names, f"leaked processes: {names}"


@pytest.fixture(scope="session")
def stack(house: Path) -> Iterator[Stack]:
    """The local stack of this test run: Prefect server, Prefect worker and store, all real."""
    settings = load_settings()
    assert settings.state_dir == house / "state"
    with lease.acquire_lease(settings) as held:
        assert held.record is not None
        yield Stack(settings, held.record, endpoints.resolve_endpoints(settings, held.record))


@pytest.fixture(scope="session")
def other_prefect(house: Path) -> Iterator[PrefectApi]:
    """A second, separately started Prefect server with an auth string, as a team might run one.

    A team's has PostgreSQL, where writers wait for each other: so they do here.
    """
    with serving_prefect(house / "other-prefect", "satflow_ext.stack.prefect_server") as api:
        yield api
