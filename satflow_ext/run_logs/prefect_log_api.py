"""Access to the log routes of the Prefect API of this flow run or Dask worker, through Prefect's own client."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import httpx
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient

REQUEST_TIMEOUT = httpx.Timeout(120.0, connect=10.0)
"""Seconds to wait for an answer and for a connection."""

UNKNOWN_OUTCOME = frozenset({408, 502, 504})
"""Status codes of a proxy whose server may have received the request."""


class PrefectLogApi:
    """A client that sends each request once, with the Prefect settings of the current context."""

    def __init__(self) -> None:
        self._client: SyncPrefectClient | None = None

    def post_json(self, path: str, body: bytes) -> bytes:
        """Send JSON and return the answer's body.

        Raises:
            httpx.HTTPError: the request failed.
        """
        # The client would repeat a request with a late answer, although the server may have carried it out.
        with temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0}):
            if self._client is None:
                self._client = get_client(sync_client=True, httpx_settings=_client_options())
            http = self._client._client  # has the credential and CSRF tokens; the public methods do not send bytes
            answer = http.post(path, content=body, headers={"Content-Type": "application/json"})
            return answer.raise_for_status().content

    @staticmethod
    def may_still_complete(error: Exception) -> bool:
        """Return whether the server may still carry out a failed request, such as after a proxy's timeout."""
        if isinstance(error, httpx.HTTPStatusError):
            return error.response.status_code in UNKNOWN_OUTCOME
        return isinstance(error, (httpx.ReadTimeout, httpx.ReadError, httpx.RemoteProtocolError))


def _client_options() -> dict[str, object]:
    options: dict[str, object] = {"timeout": REQUEST_TIMEOUT}
    if str(PREFECT_API_URL.value()).startswith("http://"):
        # Prefect's client loads all of certifi's certificates (20 ms) even if TLS is not used.
        options["verify"] = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return options
