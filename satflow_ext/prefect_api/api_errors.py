"""Errors of requests to a Prefect API, with messages for the user."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import httpx

from satflow_ext.disk_room import check_free_space
from satflow_ext.endpoints import PrefectApi, hide_credentials, read_record
from satflow_ext.errors import (
    DiskFull,
    PrefectFailed,
    PrefectUnauthorized,
    PrefectUnreachable,
    SatflowError,
    SettingsWrong,
)
from satflow_ext.prefect_api.http_client import NotPrefect
from satflow_ext.settings import load_settings


@contextmanager
def replace_not_found(error: SatflowError) -> Iterator[None]:
    """Raise this error if, inside the block, the Prefect API does not have the requested object.

    Raises:
        SatflowError: `error`, if the API answers 404 for an object.
    """
    try:
        yield
    except httpx.HTTPStatusError as answer:
        if answer.response.status_code != httpx.codes.NOT_FOUND or not _refers_to_object(answer.response):
            raise
        raise error from answer


def parse_id(text: str, error: SatflowError) -> UUID:
    """Parse an id from a user or a browser.

    Raises:
        SatflowError: `error`, if the text is not a UUID.
    """
    try:
        return UUID(text)
    except ValueError:
        raise error from None


@contextmanager
def translate_errors(api: PrefectApi) -> Iterator[None]:
    """Raise SatFlow's errors for failures of requests to an API inside the block.

    Raises:
        PrefectUnreachable: nothing answers at the address, or the server is not a Prefect API.
        PrefectUnauthorized: the API refused the credential.
        PrefectFailed: the API answered with another error.
    """
    try:
        yield
    except (NotPrefect, json.JSONDecodeError) as error:
        raise _not_prefect_error(api) from error
    except (httpx.RequestError, httpx.InvalidURL) as error:
        raise _unreachable_error(error, api) from error
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
        fix = f"Check that the Prefect server is running, or correct {_name_source(api)}."
    return PrefectUnreachable(message, fix=fix)


def _response_error(error: httpx.HTTPStatusError, api: PrefectApi) -> SatflowError:
    status = error.response.status_code
    if status == httpx.codes.NOT_FOUND and not _refers_to_object(error.response):
        return _not_prefect_error(api)
    if status == httpx.codes.FORBIDDEN and "CSRF" in read_detail(error.response):
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
        f"The Prefect API at {hide_credentials(api.url)} answered {status}: {read_detail(error.response)}"
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


def _not_prefect_error(api: PrefectApi) -> PrefectUnreachable:
    return PrefectUnreachable(
        f"The server at {hide_credentials(api.url)} is not a Prefect API.",
        fix=f"Correct {_name_source(api)}; the address usually ends in /api.",
    )


def _name_source(api: PrefectApi) -> str:
    """Return where the address of a configured API can be corrected."""
    if api.profile is None:
        return "PREFECT_API_URL"
    return f"Prefect's profile {api.profile!r}, or set SATFLOW_PREFECT_API_URL=local to use the local stack"


def _refers_to_object(response: httpx.Response) -> bool:
    """Return whether a 404 refers to an object ("Flow run not found") and not to the path ("Not Found")."""
    return read_detail(response) not in ("", "Not Found")


def read_detail(response: httpx.Response) -> str:
    """Return the reason in an API's reply, "" if there is none."""
    try:
        body = response.json()
    except ValueError:
        return ""
    detail = body.get("detail", body.get("exception_message", "")) if isinstance(body, dict) else ""
    return str(detail)[:500]
