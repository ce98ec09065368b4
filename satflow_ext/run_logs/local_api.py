"""The log routes of the local stack's Prefect server, for its supervisor, which does not import Prefect."""

from __future__ import annotations

import ssl
import uuid

import httpx

CONNECT = 3.0
"""Seconds to connect. An answer is waited for as long as the connection stands: on loopback it breaks when the server ends,
so that no request can be carried out after its outcome was looked up."""


class LocalLogApi:
    """Requests with the server's credential and CSRF tokens.

    Args:
        url: of the Prefect API.
        auth: its `user:password`.
    """

    def __init__(self, url: str, auth: str) -> None:
        user, _, password = auth.partition(":")
        self._http = httpx.Client(
            base_url=url,
            auth=(user, password),
            timeout=httpx.Timeout(None, connect=CONNECT),
            trust_env=False,
            verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),  # no TLS is spoken; reading all certificates takes 20 ms
        )
        self._client = str(uuid.uuid4())
        self._token: str | None = None

    def post(self, path: str, body: bytes) -> bytes:
        """Send JSON and return the answer's body.

        Raises:
            httpx.HTTPError: it failed.
        """
        answer = self._post(path, body)
        if answer.status_code == httpx.codes.FORBIDDEN:  # the token has expired
            self._token = None
            answer = self._post(path, body)
        return answer.raise_for_status().content

    @staticmethod
    def may_go_on(error: Exception) -> bool:
        """Return whether the server may still carry out the request that failed so. Its connection stood until it ended."""
        return False

    def close(self) -> None:
        """Close the connection, also while a request waits for its answer."""
        self._http.close()

    def _post(self, path: str, body: bytes) -> httpx.Response:
        if self._token is None:
            answer = self._http.get("/csrf-token", params={"client": self._client}).raise_for_status()
            self._token = str(answer.json()["token"])
        headers = {"Prefect-Csrf-Client": self._client, "Prefect-Csrf-Token": self._token}
        return self._http.post(path, content=body, headers={**headers, "Content-Type": "application/json"})
