"""Environment variables of a Dask worker on another machine: its TLS key, and no HTTP routes."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from distributed.security import Security

TLS_VARIABLES = {"ca_file": "CA_FILE", "cert": "WORKER__CERT", "key": "WORKER__KEY"}
FIXED_VARIABLES = {
    "DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION": "True",
    "DASK_DISTRIBUTED__WORKER__HTTP__ROUTES": "[]",
    "DASK_DISTRIBUTED__SCHEDULER__HTTP__ROUTES": "[]",
}

NO_DASHBOARD = ("--no-dashboard", "--dashboard-address", "127.0.0.1:0")
"""Command-line arguments of a Dask worker."""


def dask_variables(security: Security) -> Iterator[tuple[str, str]]:
    """Yield the environment variables that configure Dask (Dask's documentation, "Configuration")."""
    yield from FIXED_VARIABLES.items()
    for key, value in security.get_tls_config_for_role("worker").items():  # type: ignore[no-untyped-call]  # distributed is typed in part
        if key in TLS_VARIABLES and value:
            yield f"DASK_DISTRIBUTED__COMM__TLS__{TLS_VARIABLES[key]}", value


def export_lines(security: Security) -> list[str]:
    """Return the environment variables as lines of a shell script."""
    return [f"export {name}={shlex.quote(value)}" for name, value in dask_variables(security)]
