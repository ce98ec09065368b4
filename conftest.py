"""Plugins of the whole test suite; pytest wants them named in the topmost conftest."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytest_jupyter.jupyter_server"]


@pytest.fixture
def jp_server_config() -> dict[str, dict[str, object]]:
    """A Jupyter server with SatFlow, where a handler that forgot to ask for a credential is refused."""
    return {
        "ServerApp": {
            "jpserver_extensions": {"satflow_ext": True},
            "allow_unauthenticated_access": False,
        }
    }
