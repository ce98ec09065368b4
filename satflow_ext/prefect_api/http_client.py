"""HTTP to a Prefect API: credential, CSRF token, time-outs, and retries of a few seconds.

Some of Prefect's settings for its own clients also apply: extra headers, TLS certificates, status codes to retry.
"""

from __future__ import annotations

import asyncio
import base64
import os
import random
import ssl
import time
import uuid
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from satflow_ext.endpoints import PrefectApi, is_on_loopback
from satflow_ext.models import JsonObject
from satflow_ext.own_http import require_own_listeners
from satflow_ext.prefect_profile import profiles_path

RETRIES = 3
"""Retries of one request (2 + 4 + 8 s apart): enough for a server that restarts, and less than a minute for a dead one."""

CONNECT_PAUSES = (0.0, 0.5, 1.0)
"""Seconds between attempts to connect to a server that has not answered yet: its address may be wrong."""

TIMEOUT = httpx.Timeout(30.0, connect=3.0)
"""Time-outs in seconds for reading and for connecting."""

LIMITS = httpx.Limits(max_connections=16, max_keepalive_connections=8, keepalive_expiry=25.0)
"""Limits on connections. The load balancer of Prefect Cloud keeps idle ones for 30 seconds."""

RETRY_CODES = frozenset(
    {
        httpx.codes.REQUEST_TIMEOUT,
        httpx.codes.TOO_MANY_REQUESTS,
        httpx.codes.BAD_GATEWAY,
        httpx.codes.SERVICE_UNAVAILABLE,
    }
)
"""Status codes of replies after which Prefect's own client sends a request again."""

RETRY_ERRORS = (
    httpx.TimeoutException,
    httpx.ConnectError,
    httpx.ReadError,
    httpx.WriteError,
    httpx.ProtocolError,
)
"""Errors after which Prefect's own client sends a request again."""

CSRF_METHODS = frozenset({"POST", "PUT", "PATCH", "DELETE"})
"""Methods of requests that need a CSRF token."""

SETTING_NAMES = ("custom_headers", "retry_extra_codes", "tls_insecure_skip_verify", "ssl_cert_file")
"""Prefect's settings that apply, as in a settings file. The names of their environment variables are the same in upper case."""

LOCATION_NAMES = ("home", "profiles_path")
"""The settings that define where Prefect's profiles are."""

SETTINGS_FILES = {".env": "prefect_", "prefect.toml": "", "pyproject.toml": "tool.prefect"}
"""The files of the current folder in which Prefect looks for settings, and a text that such settings contain there."""

PROTECTED_HEADERS = frozenset({"user-agent", "prefect-csrf-token", "prefect-csrf-client"})
"""Headers that Prefect's own client does not let its settings replace."""


class NotPrefect(Exception):
    """The server that answered is not a Prefect API: a login page, a proxy's error page, another web application.

    So is one whose replies do not have the fields of a Prefect API's.
    """


class PrefectHttpClient:
    """A connection to a Prefect API. Use it as an asynchronous context manager.

    Args:
        api: address and credential.
    """

    def __init__(self, api: PrefectApi) -> None:
        settings = read_client_settings(api)
        self._client = _make_client(api, settings)
        self._retry_codes = RETRY_CODES | settings.retry_codes
        self._csrf_id = str(uuid.uuid4())
        self._csrf_headers: dict[str, str] | None = None  # None until they are needed; empty if the server needs none
        self._csrf_lock = asyncio.Lock()
        self._has_answered = False

    async def __aenter__(self) -> PrefectHttpClient:
        """Open the client."""
        await self._client.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def request(
        self, method: str, path: str, json: JsonObject | list[JsonObject] | None = None
    ) -> httpx.Response:
        """Send a request, again if necessary, and return the reply.

        Args:
            method: HTTP method.
            path: path below the API's address, with quoted names.
            json: body.

        Raises:
            httpx.HTTPStatusError: the reply is not a success.
            httpx.RequestError: there was no reply.
            NotPrefect: the reply is not from a Prefect API.
        """
        headers = await self._read_csrf_headers() if method in CSRF_METHODS else {}
        response = await self._send(method, path, json, headers)
        if response.status_code == httpx.codes.FORBIDDEN and "Invalid CSRF token" in response.text:
            headers = await self._read_csrf_headers(expired=headers)
            response = await self._send(method, path, json, headers)
        return response.raise_for_status()

    async def _read_csrf_headers(self, expired: Mapping[str, str] | None = None) -> Mapping[str, str]:
        """Return the headers with this client's token, which are fetched if there are none or they are `expired`.

        The server keeps one token for each client: a second fetch would make the first token invalid.
        """
        async with self._csrf_lock:
            if self._csrf_headers is None or self._csrf_headers is expired:
                self._csrf_headers = await self._fetch_csrf_headers()
            return self._csrf_headers

    async def _fetch_csrf_headers(self) -> dict[str, str]:
        response = await self._send("GET", f"/csrf-token?client={self._csrf_id}", None, {})
        is_old_server = response.status_code == httpx.codes.NOT_FOUND
        if is_old_server or response.status_code == httpx.codes.UNPROCESSABLE_ENTITY:  # or CSRF protection is off
            return {}
        token = response.raise_for_status().json()["token"]
        return {"Prefect-Csrf-Token": token, "Prefect-Csrf-Client": self._csrf_id}

    async def _send(
        self, method: str, path: str, json: JsonObject | list[JsonObject] | None, headers: Mapping[str, str]
    ) -> httpx.Response:
        attempt = 0
        while True:
            pause: float | None
            try:
                response = await self._client.request(method, path, json=json, headers=headers)
            except RETRY_ERRORS as error:
                if (pause := self._pause_after_error(error, attempt)) is None:
                    raise
            else:
                self._has_answered = True
                if response.status_code not in self._retry_codes or attempt >= RETRIES:
                    return response
                pause = _requested_pause(response) or _backoff(attempt)
            await asyncio.sleep(pause)
            attempt += 1

    def _pause_after_error(self, error: Exception, attempt: int) -> float | None:
        """Return the seconds until the next attempt, None if there is none."""
        if isinstance(error, httpx.ConnectError) and not self._has_answered:
            return CONNECT_PAUSES[attempt] if attempt < len(CONNECT_PAUSES) else None
        return _backoff(attempt) if attempt < RETRIES else None


def _make_client(api: PrefectApi, settings: ClientSettings) -> httpx.AsyncClient:
    options: dict[str, Any] = {}
    # httpx would read all of certifi's certificates (20 ms) even for connections without TLS.
    verify = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if api.url.startswith("http://") else settings.verify
    if is_on_loopback(api.url):
        # A company's proxy must not get the credential of a server on this machine. Its database is probably SQLite.
        transport = PersistentTransport(verify)
        if api.local:
            require_own_listeners(transport)
        options = {"trust_env": False, "transport": transport}
    return httpx.AsyncClient(
        base_url=api.url,
        headers={**settings.headers, **_credential_headers(api)},
        verify=verify,
        timeout=TIMEOUT,
        limits=LIMITS,
        follow_redirects=True,
        event_hooks={"response": [_reject_non_json]},
        **options,
    )


def _credential_headers(api: PrefectApi) -> dict[str, str]:
    if api.auth_string:
        return {"Authorization": f"Basic {base64.b64encode(api.auth_string.encode()).decode()}"}
    return {"Authorization": f"Bearer {api.api_key}"} if api.api_key else {}


async def _reject_non_json(response: httpx.Response) -> None:
    """Reject a reply that is not JSON. A 401 or a 502 may be a proxy's page, and its status is sufficient.

    Raises:
        NotPrefect: the reply is a success or a 404 with another content type.
    """
    kind = response.headers.get("content-type")
    telling = response.is_success or response.status_code == httpx.codes.NOT_FOUND
    if telling and kind is not None and "json" not in kind:
        raise NotPrefect


def _requested_pause(response: httpx.Response) -> float | None:
    """Return the seconds that the server asks to wait, None if it does not."""
    text = response.headers.get("Retry-After", "")
    return float(text) if text.isascii() and text.isdigit() else None


def _backoff(attempt: int) -> float:
    """Return the seconds until the next attempt, random so that several clients do not collide again."""
    return 2.0 ** (attempt + 1) * random.uniform(0.8, 1.2)  # noqa: S311 - not a secret


RETRY_SECONDS = 15.0
"""Seconds of retries. Requests that are refused for longer are left to the client's own, slower retries."""

RETRY_PAUSE = (0.02, 0.2)
"""Shortest and longest seconds between two attempts; random, so that two clients that collided do not collide again."""


class PersistentTransport(httpx.AsyncHTTPTransport):
    """A transport that resends a request that was refused because of a concurrent write.

    Prefect starts many of its transactions deferred. On SQLite, one that has read, and wants to write after another has written,
    fails at once, regardless of the busy time-out. The server then answers 503 and has changed nothing. The database is free
    again within milliseconds, but the client retries only after 2, 4 and 8 s, and with several writers each of these may
    fail too.

    Args:
        verify: TLS context of the connections; True means the default certificates.
    """

    def __init__(self, verify: ssl.SSLContext | bool) -> None:
        super().__init__(verify=verify, limits=LIMITS)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and return a 503 only if the server gave no other response for `RETRY_SECONDS` seconds."""
        deadline = time.monotonic() + RETRY_SECONDS
        while True:
            response = await super().handle_async_request(request)
            if response.status_code != httpx.codes.SERVICE_UNAVAILABLE or time.monotonic() > deadline:
                return response
            await response.aclose()
            await asyncio.sleep(random.uniform(*RETRY_PAUSE))  # noqa: S311 - not a secret


@dataclass(frozen=True)
class ClientSettings:
    """The settings of one API's clients. `verify` is the TLS context, or True for the default certificates."""

    headers: dict[str, str] = field(default_factory=dict, repr=False)
    retry_codes: frozenset[int] = frozenset()
    verify: ssl.SSLContext | bool = True


def read_client_settings(api: PrefectApi) -> ClientSettings:
    """Read the settings that apply to an API.

    The rules by which Prefect's environment variables, profiles and files override each other are Prefect's own. Importing them
    takes a second, so it is imported only if one of these settings occurs somewhere.
    """
    if api.local or not _occur_anywhere():
        return ClientSettings()
    from prefect.settings import PREFECT_CLIENT_RETRY_EXTRA_CODES, get_current_settings

    theirs = get_current_settings()
    # The user's extra headers may contain a credential, and go only to the API that they were set for.
    headers = theirs.client.custom_headers if theirs.api.url == api.url else {}
    return ClientSettings(
        headers={name: value for name, value in headers.items() if name.lower() not in PROTECTED_HEADERS},
        retry_codes=frozenset(PREFECT_CLIENT_RETRY_EXTRA_CODES.value()),
        verify=_make_tls_context(theirs.api.tls_insecure_skip_verify, theirs.api.ssl_cert_file),
    )


def _make_tls_context(insecure: bool, certificates: str | None) -> ssl.SSLContext | bool:
    if not insecure and not certificates:
        return True
    context = ssl.create_default_context(cafile=certificates)
    if insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _occur_anywhere() -> bool:
    variables = " ".join(name for name in os.environ if name.startswith("PREFECT_")).lower()
    if _contains_any(f"{variables} {_read_text(profiles_path())}", SETTING_NAMES):
        return True
    texts = ((_read_text(Path(name)), marker) for name, marker in SETTINGS_FILES.items())
    return any(marker in text and _contains_any(text, SETTING_NAMES + LOCATION_NAMES) for text, marker in texts)


def _read_text(path: Path) -> str:
    with suppress(OSError):
        return path.read_text(errors="replace").lower()
    return ""


def _contains_any(text: str, names: Iterable[str]) -> bool:
    return any(name in text for name in names)
