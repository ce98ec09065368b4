"""Access to the log routes of the local stack's Prefect server, for the supervisor, which does not import Prefect."""

from __future__ import annotations

import ssl
import uuid

import httpx

CONNECT_TIMEOUT = 3.0
"""Seconds to connect. There is no read timeout: on loopback the connection breaks when the server ends, so that the server
cannot carry out a request after the uploader has checked its outcome."""


class LocalLogApi:
    """A client that sends requests with the server's credential and CSRF tokens.

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
