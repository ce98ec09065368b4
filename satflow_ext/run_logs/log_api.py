"""Access to the log routes of a Prefect API, with Prefect's own client and, for the supervisor, without importing Prefect."""

from __future__ import annotations

import ssl
import uuid
from typing import TYPE_CHECKING, Protocol

import httpx

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient

REQUEST_TIMEOUT = httpx.Timeout(120.0, connect=10.0)
"""Seconds that `PrefectLogApi` waits for an answer and for a connection."""

UNKNOWN_OUTCOME = frozenset({408, 502, 504})
"""Status codes of a proxy whose server may have received the request."""

CONNECT_TIMEOUT = 3.0
"""Seconds that `LocalLogApi` waits for a connection. There is no read timeout: on loopback the connection
breaks when the server ends, so that the server cannot carry out a request after the uploader has checked its outcome."""


class LogApi(Protocol):
    """The log routes of the Prefect API."""

    def post_json(self, path: str, body: bytes) -> bytes:
        """Send JSON and return the answer's body.

        Raises:
            httpx.HTTPError: the request failed. Only the status code shows whether it was carried out.
        """

    def may_still_complete(self, error: Exception) -> bool:
        """Return whether the server may still carry out a request that failed with this error."""


class PrefectLogApi:
    """Prefect's own client, which sends each request once, with the Prefect settings of the current context."""

    def __init__(self) -> None:
        import prefect.client.orchestration  # noqa: F401  # here, and not in the thread of the uploader

        self._client: SyncPrefectClient | None = None

    def post_json(self, path: str, body: bytes) -> bytes:
        """Send JSON and return the answer's body.

        Raises:
            httpx.HTTPError: the request failed.
        """
        from prefect.client.orchestration import get_client
        from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, temporary_settings

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


class LocalLogApi:
    """A client of the local stack's Prefect server that sends requests with the server's credential and CSRF tokens.

    Args:
        url: URL of the Prefect API.
        auth: `user:password` of the server.
    """

    def __init__(self, url: str, auth: str) -> None:
        user, _, password = auth.partition(":")
        self._http = httpx.Client(
            base_url=url,
            auth=(user, password),
            timeout=httpx.Timeout(None, connect=CONNECT_TIMEOUT),
            trust_env=False,
            verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),  # TLS is not used; loading all certificates takes 20 ms
        )
        self._client = str(uuid.uuid4())
        self._token: str | None = None

    def post_json(self, path: str, body: bytes) -> bytes:
        """Send JSON and return the answer's body.

        Raises:
            httpx.HTTPError: the request failed.
        """
        answer = self._post_once(path, body)
        if answer.status_code == httpx.codes.FORBIDDEN:  # the token has expired
            self._token = None
            answer = self._post_once(path, body)
        return answer.raise_for_status().content

    @staticmethod
    def may_still_complete(error: Exception) -> bool:
        """Return False: the server cannot carry out a failed request later, because the connection lasts until it ends."""
        return False

    def close(self) -> None:
        """Close the connection, even while a request waits for its answer."""
        self._http.close()

    def _post_once(self, path: str, body: bytes) -> httpx.Response:
        if self._token is None:
            answer = self._http.get("/csrf-token", params={"client": self._client}).raise_for_status()
            self._token = str(answer.json()["token"])
        headers = {"Prefect-Csrf-Client": self._client, "Prefect-Csrf-Token": self._token}
        return self._http.post(path, content=body, headers={**headers, "Content-Type": "application/json"})


def _client_options() -> dict[str, object]:
    from prefect.settings import PREFECT_API_URL

    options: dict[str, object] = {"timeout": REQUEST_TIMEOUT}
    if str(PREFECT_API_URL.value()).startswith("http://"):
        # Prefect's client loads all of certifi's certificates (20 ms) even if TLS is not used.
        options["verify"] = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return options
