"""Environment variables of the services, including the settings that Prefect is started with.

The Prefect server never starts with its defaults, which accept requests from any web page (cross-origin POST → 201).
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Mapping
from pathlib import Path

from satflow_ext.endpoints import StackRecord, find_store, fingerprint_store
from satflow_ext.errors import SettingsWrong
from satflow_ext.lease.start import STACK_API, STACK_MARK
from satflow_ext.settings import Settings

DATABASE_VARIABLE = "SATFLOW_DATABASE_URL"
"""Environment variable with the database URL of the local Prefect server, for a database other than SQLite."""

DATABASE_FILE = "prefect.db"
"""File name of Prefect's SQLite database."""

HARDENED_SETTINGS = {
    "PREFECT_SERVER_API_CSRF_PROTECTION_ENABLED": "true",
    "PREFECT_SERVER_API_CORS_ALLOWED_ORIGINS": "http://none.invalid",
    "PREFECT_SERVER_UI_ENABLED": "false",
    "PREFECT_UI_ENABLED": "false",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
}
LOG_STREAM_SETTINGS = {
    "PREFECT_SERVER_LOGS_STREAM_OUT_ENABLED": "true",
    "PREFECT_SERVER_LOGS_STREAM_PUBLISHING_ENABLED": "true",
}
"""Both are required for `/api/logs/out` to send anything."""

IDLE_INTERVALS = {
    # A run is late after 15 seconds, which is checked every 5.
    "PREFECT_SERVER_SERVICES_LATE_RUNS_LOOP_SECONDS": "15",
    # New runs of a deployment that was just registered; of all others every minute, hours ahead.
    "PREFECT_SERVER_SERVICES_SCHEDULER_RECENT_DEPLOYMENTS_LOOP_SECONDS": "10",
    # Time limits of pauses, which are minutes or hours.
    "PREFECT_SERVER_SERVICES_PAUSE_EXPIRATIONS_LOOP_SECONDS": "30",
    # Commands to Prefect workers that did not confirm them.
    "PREFECT_SERVER_SERVICES_CLEANUP_RECONCILER_LOOP_SECONDS": "30",
    # Prefect workers are offline after three missed heartbeats, that is after 30 seconds.
    "PREFECT_SERVER_SERVICES_FOREMAN_LOOP_SECONDS": "30",
    # Slots of concurrency limits whose holder has died: their leases are minutes.
    "PREFECT_SERVER_SERVICES_REPOSSESSOR_LOOP_SECONDS": "30",
    # Automations that wait for an event that does not happen. Those that react to an event start at once.
    "PREFECT_SERVER_EVENTS_PROACTIVE_GRANULARITY": "PT15S",
}
"""Intervals (seconds, or ISO 8601 durations) of the Prefect server's services, which by default check every 5 to 15 seconds
for what one machine rarely has. The user's own variables replace them."""


def base_environment(environment: Mapping[str, str], settings: Settings) -> dict[str, str]:
    """Return the user's environment without the variables of the Prefect profile, the Jupyter server and the kernel."""
    kept = {name: value for name, value in environment.items() if _is_inheritable(name, value)}
    kept[STACK_MARK] = stack_mark(settings)
    kept["SATFLOW_STATE_DIR"] = str(settings.state_dir)
    kept["SATFLOW_RUNTIME_DIR"] = str(settings.runtime_dir)
    kept["PREFECT_HOME"] = str(prefect_home(settings))
    kept["PYTHONIOENCODING"] = "utf-8"  # as in a notebook: a flow's output must not depend on how the stack was started
    # Traffic between the services on this machine carries credentials and must not go through a company's proxy.
    direct = ",".join(filter(None, [kept.get("NO_PROXY") or kept.get("no_proxy"), "127.0.0.1"]))
    return {**kept, "NO_PROXY": direct, "no_proxy": direct}


def stack_mark(settings: Settings) -> str:
    """Return the value of `SATFLOW_STACK` for this stack."""
    return str(settings.runtime_dir.resolve())


def prefect_home(settings: Settings) -> Path:
    """Return the folder of the local Prefect server and its database; the user's `~/.prefect` is not touched."""
    return settings.state_dir / "prefect"


def prefect_server_environment(environment: Mapping[str, str], settings: Settings, auth: str) -> dict[str, str]:
    """Return the environment of the Prefect server."""
    server = {
        **base_environment(environment, settings),
        **HARDENED_SETTINGS,
        **LOG_STREAM_SETTINGS,
        **{name: environment.get(name, interval) for name, interval in IDLE_INTERVALS.items()},
        "PREFECT_SERVER_API_AUTH_STRING": auth,
    }
    if database := environment.get(DATABASE_VARIABLE):
        server["PREFECT_SERVER_DATABASE_CONNECTION_URL"] = database
    return server


def prefect_worker_environment(
    environment: Mapping[str, str], settings: Settings, api: str, auth: str
) -> dict[str, str]:
    """Return the environment of the Prefect worker, which its flow runs inherit."""
    return {
        **base_environment(environment, settings),
        "PATH": f"{Path(sys.executable).parent}:{environment.get('PATH', '/usr/bin:/bin')}",
        "PREFECT_API_URL": api,
        STACK_API: api,
        "PREFECT_API_AUTH_STRING": auth,
        # The worker hears of new runs, and polls for those whose time comes and in case it missed one. Its interval varies
        # by 30 %, so it asks for the runs of the next 15 seconds: all of them start on time.
        "PREFECT_WORKER_QUERY_SECONDS": "10",
        "PREFECT_WORKER_PREFETCH_SECONDS": "15",
        "PREFECT_WORKER_HEARTBEAT_SECONDS": "10",
        "PREFECT_LOGGING_TO_API_BATCH_INTERVAL": "0.2",
        # Server and flow runs are of the same installation: each run would ask twice for the server's version.
        "PREFECT_CLIENT_SERVER_VERSION_CHECK_ENABLED": "false",
        # The Prefect server has the flows' log lines. Writing them, in color, to the Prefect worker's log as well would take
        # a fifth of a core at 1,000 lines per second and store a second copy.
        "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "WARNING",
        "PREFECT_LOGGING_COLORS": "false",
        "DO_NOT_TRACK": "1",
    }


def read_store_marks(environment: Mapping[str, str], settings: Settings, record: StackRecord) -> dict[str, str]:
    """Return the mark of each configured store that a flow run can read from; omit stores whose credential is missing."""
    seen = base_environment(environment, settings)
    marks = {}
    for name in settings.stores:
        with contextlib.suppress(SettingsWrong):
            marks[name] = fingerprint_store(find_store(name, settings, record, seen), record)
    return marks


def _is_inheritable(name: str, value: str) -> bool:
    foreign = name.startswith(("PREFECT_", "JPY_", "JUPYTERHUB_")) or name in ("JUPYTER_TOKEN", DATABASE_VARIABLE)
    of_kernel = name == "MPLBACKEND" and value.startswith("module://")
    return not foreign and not of_kernel
