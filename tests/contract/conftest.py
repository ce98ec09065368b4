"""A Jupyter server in a process of its own, and the browser's client in Node beside it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contract.browser_client import BrowserClient, connected
from tests.contract.jupyter_server import JupyterServer, serving


@pytest.fixture(scope="module")
def jupyter_server(stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    """A Jupyter server with SatFlow as a user starts one, on the tests' local stack."""
    with serving(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture(scope="module")
def browser_client(jupyter_server: JupyterServer) -> Iterator[BrowserClient]:
    """The client of src/client.ts, connected to the server."""
    with connected(jupyter_server) as client:
        yield client
