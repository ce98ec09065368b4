"""Access to a Prefect API: Prefect's own client, with SatFlow's credential and errors.

The client is Prefect's, typed and async, and is not wrapped. This module adds the credential of that API (never that of the
user's profile), time-outs and retries of a few seconds, and one place where exceptions of Prefect and httpx become errors with
messages for the user.
"""

from __future__ import annotations

import asyncio
import json
import random
import ssl
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from uuid import UUID

import httpx
from prefect.client.base import PrefectHttpxAsyncClient
from prefect.client.orchestration import PrefectClient
from prefect.context import SettingsContext
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound
from prefect.settings import Profile, Settings, get_current_settings

from satflow_ext.disk_room import check_free_space
from satflow_ext.endpoints import PrefectApi, hide_credentials, is_on_loopback, read_record
from satflow_ext.errors import (
    DiskFull,
    PrefectFailed,
    PrefectUnauthorized,
    PrefectUnreachable,
    SatflowError,
    SettingsWrong,
)
from satflow_ext.own_http import require_own_listeners
from satflow_ext.settings import load_settings

RETRIES = 3
"""Retries of one request (2 + 4 + 8 s apart): enough for a server that restarts, and less than a minute for a dead one."""

TIMEOUT = httpx.Timeout(30.0, connect=3.0)
"""Time-outs in seconds for reading and for connecting."""


class _NotPrefect(Exception):
    """The server that answered is not a Prefect API: a login page, a proxy's error page, another web application."""


@asynccontextmanager
async def prefect_client(api: PrefectApi) -> AsyncIterator[PrefectClient]:
    """Open a Prefect client. Its failures inside the `async with` block become SatFlow's errors.

    Args:
        api: address and credential; neither is taken from Prefect's own settings and profile.

    Raises:
        PrefectUnreachable: nothing answers at the address, or the server is not a Prefect API.
        PrefectUnauthorized: the API refused the credential.
        PrefectFailed: the API answered with another error.
    """
    with (
        _translate_errors(api),
        SettingsContext(profile=Profile(name="satflow", settings={}), settings=_limit_retries(api)),
    ):
        async with _make_client(api) as client:
            await _fetch_csrf_token(client)
            yield client


@contextmanager
def replace_not_found(error: SatflowError) -> Iterator[None]:
    """Raise this error if, inside the block, the Prefect API does not have the requested object.

    Raises:
        SatflowError: `error`, if the API answers 404 for an object.
    """
    try:
        yield
    except ObjectNotFound as missing:
        raise _select_not_found_error(missing.http_exc, error) from missing
    except httpx.HTTPStatusError as answer:
        if answer.response.status_code != httpx.codes.NOT_FOUND:
            raise
        raise _select_not_found_error(answer, error) from answer


def parse_id(text: str, error: SatflowError) -> UUID:
    """Parse an id from a user or a browser.

    Raises:
        SatflowError: `error`, if the text is not a UUID.
    """
    try:
        return UUID(text)
    except ValueError:
        raise error from None


def _make_client(api: PrefectApi) -> PrefectClient:
    options: dict[str, Any] = {"timeout": TIMEOUT, "event_hooks": {"response": [_reject_non_json]}}
    if api.url.startswith("http://"):
        # Prefect's client reads all of certifi's certificates (20 ms) even for connections without TLS.
        options["verify"] = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if is_on_loopback(api.url):
        # A company's proxy must not get the credential of a server on this machine. Its database is probably SQLite.
        options["trust_env"] = False
        transport = PersistentTransport(options.get("verify", True))
        if api.local:
            require_own_listeners(transport)
        options["transport"] = transport
    return PrefectClient(api.url, auth_string=api.auth_string, api_key=api.api_key, httpx_settings=options)


async def _fetch_csrf_token(client: PrefectClient) -> None:
    """Fetch the client's CSRF token in advance.

    Prefect's client fetches it with its first POST. Of two concurrent POSTs, each fetches a token, the second replaces the first
    on the server, and the first request is refused with 403. Prefect has no public way to fetch it earlier.
    """
    http: PrefectHttpxAsyncClient = client._client  # type: ignore[assignment]  # declared as its base class
    await http._add_csrf_headers(httpx.Request("POST", "csrf-token"))


def _limit_retries(api: PrefectApi) -> Settings:
    """Return Prefect's settings with our number of retries. The user's extra headers go only to the API they were set for."""
    theirs = get_current_settings()
    headers = theirs.client.custom_headers if theirs.api.url == api.url else {}
    client = theirs.client.model_copy(
        update={"max_retries": RETRIES, "custom_headers": headers, "csrf_support_enabled": True}
    )
    return theirs.model_copy(update={"client": client})


async def _reject_non_json(response: httpx.Response) -> None:
    """Reject a reply that is not JSON. A 401 or a 502 may be a proxy's page, and its status is sufficient.

    Raises:
        _NotPrefect: the reply is a success or a 404 with another content type.
    """
    kind = response.headers.get("content-type")
    telling = response.is_success or response.status_code == httpx.codes.NOT_FOUND
    if telling and kind is not None and "json" not in kind:
        raise _NotPrefect


@contextmanager
def _translate_errors(api: PrefectApi) -> Iterator[None]:
    try:
        yield
    except (_NotPrefect, json.JSONDecodeError) as error:
        raise _not_prefect_error(api) from error
    except (httpx.RequestError, httpx.InvalidURL) as error:
        raise _unreachable_error(error, api) from error
    except (ObjectNotFound, ObjectAlreadyExists) as error:
        raise _response_error(error.http_exc, api) from error
    except httpx.HTTPStatusError as error:
        raise _response_error(error, api) from error


def _unreachable_error(error: Exception, api: PrefectApi) -> PrefectUnreachable:
    """Describe a request without a reply. A fix for the address is given only to users who have configured one."""
    if isinstance(error, httpx.TimeoutException):
        message = f"The Prefect API at {hide_credentials(api.url)} did not answer in time."
    else:
        message = f"Nothing answers at the Prefect API's address {hide_credentials(api.url)}."
    if api.local:
        fix = "The local stack may be busy or restarting: try again in a moment, or check it with `satflow status`."
    else:
        fix = "Check that the Prefect server is running, or correct PREFECT_API_URL."
    return PrefectUnreachable(message, fix=fix)


def _response_error(error: Exception, api: PrefectApi) -> SatflowError:
    if not isinstance(error, httpx.HTTPStatusError):
        return PrefectFailed(f"The Prefect API at {hide_credentials(api.url)} refused the request: {error}")
    status = error.response.status_code
    if status == httpx.codes.NOT_FOUND and not _refers_to_object(error.response):
        return _not_prefect_error(api)
    if status == httpx.codes.FORBIDDEN and "CSRF" in _read_detail(error.response):
        # Prefect's middleware answers on every path; the client found no route for tokens, so the address is not an API.
        return _not_prefect_error(api)
    if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        return PrefectUnauthorized(
            f"The Prefect API at {hide_credentials(api.url)} refused the credential ({status}).",
            fix="Set PREFECT_API_AUTH_STRING or PREFECT_API_KEY to the credential of this API.",
        )
    if status >= httpx.codes.INTERNAL_SERVER_ERROR and (full := _find_full_disk(api)) is not None:
        return full
    return PrefectFailed(
        f"The Prefect API at {hide_credentials(api.url)} answered {status}: {_read_detail(error.response)}"
    )


def _find_full_disk(api: PrefectApi) -> DiskFull | None:
    """Return the error for a full disk of the local stack, for which its Prefect server answers 500 without a reason."""
    try:
        settings = load_settings()
        record = read_record(settings)
        if record is not None and record.prefect_url == api.url:
            check_free_space((settings.state_dir, settings.runtime_dir))
    except DiskFull as error:
        return error
    except SettingsWrong:
        return None
    return None


def _select_not_found_error(error: Exception, replacement: SatflowError) -> Exception:
    known = isinstance(error, httpx.HTTPStatusError) and _refers_to_object(error.response)
    return replacement if known else error


def _not_prefect_error(api: PrefectApi) -> PrefectUnreachable:
    return PrefectUnreachable(
        f"The server at {hide_credentials(api.url)} is not a Prefect API.",
        fix="Correct PREFECT_API_URL; it usually ends in /api.",
    )


def _refers_to_object(response: httpx.Response) -> bool:
    """Return whether a 404 refers to an object ("Flow run not found") and not to the path ("Not Found")."""
    return _read_detail(response) not in ("", "Not Found")


def _read_detail(response: httpx.Response) -> str:
    try:
        body = response.json()
    except ValueError:
        return ""
    detail = body.get("detail", body.get("exception_message", "")) if isinstance(body, dict) else ""
    return str(detail)[:500]


RETRY_SECONDS = 15.0
"""Seconds of retries. Requests that are refused for longer are left to the client's own, slower retries."""

RETRY_PAUSE = (0.02, 0.2)
"""Shortest and longest seconds between two attempts; random, so that two clients that collided do not collide again."""

CONNECT_RETRIES = 3
"""Attempts to connect: the value that Prefect's client sets on the transport that this one replaces."""


class PersistentTransport(httpx.AsyncHTTPTransport):
    """A transport that resends a request that was refused because of a concurrent write.

    Prefect starts many of its transactions deferred. On SQLite, one that has read, and wants to write after another has written,
    fails at once, regardless of the busy time-out. The server then answers 503 and has changed nothing. The database is free
    again within milliseconds, but Prefect's client retries only after 2, 4 and 8 s, and with several writers each of these may
    fail too.

    Args:
        verify: TLS context of the connections; True means the default certificates.
    """

    def __init__(self, verify: ssl.SSLContext | bool) -> None:
        super().__init__(verify=verify, retries=CONNECT_RETRIES)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and return a 503 only if the server gave no other response for `RETRY_SECONDS` seconds."""
        deadline = time.monotonic() + RETRY_SECONDS
        while True:
            response = await super().handle_async_request(request)
            if response.status_code != httpx.codes.SERVICE_UNAVAILABLE or time.monotonic() > deadline:
                return response
            await response.aclose()
            await asyncio.sleep(random.uniform(*RETRY_PAUSE))  # noqa: S311 - not a secret
