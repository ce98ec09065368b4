"""The status of the Prefect API and store that runs use, read without starting anything."""

from __future__ import annotations

import urllib.error
import urllib.request
from pathlib import Path
from typing import Literal

from satflow_ext import endpoints
from satflow_ext.lease.client import read_report
from satflow_ext.lease.messages import StackReport
from satflow_ext.models import StackStatus
from satflow_ext.settings import LOCAL, Settings

HEALTH_TIMEOUT = 3.0

Condition = tuple[Literal["stopped", "starting", "ready", "failed"], str | None]


def read_status(settings: Settings) -> StackStatus:
    """Return the Prefect API and store that runs use, and whether they are ready. May wait some seconds for the network."""
    found = read_report(settings) if endpoints.list_needed_services(settings) else None
    configured = settings.prefect_api_url
    state, step = _read_condition(settings, found)
    profile = endpoints.find_profile(settings)
    return StackStatus(
        kind="local" if configured is None else "configured",
        state=state,
        step=step,
        prefect_api=endpoints.hide_credentials(configured) if configured else _service_url(found, "prefect-server"),
        prefect_profile=profile.name if profile else None,
        store=_service_url(found, "store") if settings.store == LOCAL else settings.store,
        stays=found.stays if found else False,
    )


def failure_path(settings: Settings) -> Path:
    """Return the file in which the supervisor records why the stack did not start."""
    return settings.runtime_dir / "stack.failed"


def _read_condition(settings: Settings, found: StackReport | None) -> Condition:
    problem = _find_api_problem(settings.prefect_api_url) if settings.prefect_api_url else None
    if problem is not None:
        return "failed", problem
    if not endpoints.list_needed_services(settings):
        return "ready", None
    return (found.state, found.step) if found else _read_stopped_condition(settings)


def _read_stopped_condition(settings: Settings) -> Condition:
    try:
        return "failed", failure_path(settings).read_text()
    except FileNotFoundError:
        return "stopped", None


def _service_url(found: StackReport | None, service: str) -> str | None:
    return next((each.url for each in found.services if each.name == service), None) if found else None


def _find_api_problem(api: str) -> str | None:
    """Return why a Prefect API cannot be used, None if it answers."""
    try:
        with urllib.request.urlopen(f"{api.rstrip('/')}/health", timeout=HEALTH_TIMEOUT):  # noqa: S310 - the user's own
            return None
    except urllib.error.HTTPError as error:
        return None if error.code in (401, 403) else f"The Prefect API at {api} answered with status {error.code}."
    except (OSError, ValueError) as error:
        return f"No Prefect API answers at {api}: {getattr(error, 'reason', error)}."
