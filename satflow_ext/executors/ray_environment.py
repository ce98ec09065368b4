"""Ray's environment variables, which Ray reads once on import and its processes inherit."""

from __future__ import annotations

import os
import secrets

from satflow_ext.redaction import guard
from satflow_ext.run_logs.failed_inputs import record_failed_inputs

TOKEN_VARIABLE = "RAY_AUTH_TOKEN"  # noqa: S105  # its name
LOCAL_VARIABLES = {
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # a single machine: all parts of Ray listen only on loopback
    "RAY_USAGE_STATS_ENABLED": "0",
}


def prepare_environment(*, starts_ray: bool) -> None:
    """Set the variables before Ray is imported.

    Args:
        starts_ray: true for a Ray that this process starts: it listens on loopback, requires a token generated here, and
            sends no usage statistics. False for an existing cluster, which gets the token of the environment, if any.
    """
    os.environ["RAY_TQDM_PATCH_PRINT"] = "0"  # otherwise Ray replaces `print` in this process
    if starts_ray:
        os.environ.update(LOCAL_VARIABLES)
        os.environ[TOKEN_VARIABLE] = secrets.token_hex(32)
        os.environ.pop("RAY_ADDRESS", None)  # a cluster that the user did not choose
    if os.environ.get(TOKEN_VARIABLE):
        os.environ["RAY_AUTH_MODE"] = "token"


def prepare_worker() -> None:
    """Prepare a process of Ray that runs tasks: redaction as in the flow run, and capture of the inputs of failed tasks."""
    guard.enable_redaction()
    record_failed_inputs()
