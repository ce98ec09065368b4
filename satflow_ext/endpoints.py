"""The addresses and credentials of the Prefect API and the store in use.

Each service is either configured in the settings or run by the local stack, whose supervisor writes a record into the runtime
folder. A flow run reads the same record, so it gets credentials from a private file and never through the Prefect API.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import astuple, dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

from pydantic import BaseModel, ConfigDict

from satflow_ext.errors import SettingsWrong, StackFailed
from satflow_ext.prefect_profile import PrefectProfile, read_active_profile
from satflow_ext.settings import LOCAL, AwsSettings, Settings, StoreSettings

Service = Literal["prefect", "store", "gateway"]

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})

LOCAL_POOL = "satflow-local"
"""The work pool of the local stack."""

NOTEBOOK_TAG = "satflow:notebook"
"""The tag of flow runs that a kernel executes, because the flow was called in a cell."""

WORKER_TYPE = "satflow"
"""The type of SatFlow's Prefect worker, and of the work pool of the local stack."""


@dataclass(frozen=True)
class PrefectApi:
    """A Prefect API and its credential, which is sent to no other address.

    `local`: the local stack serves it, so only a process of this user may answer there. `profile` is the name of Prefect's
    profile that has the address, None if it is from the settings.
    """

    url: str
    auth_string: str | None = field(default=None, repr=False)
    api_key: str | None = field(default=None, repr=False)
    local: bool = False
    profile: str | None = None


@dataclass(frozen=True)
class AwsCredential:
    """The access key that signs requests to an S3-compatible store, and the region."""

    region: str
    key_id: str
    secret_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Store:
    """A store: URL template with `{digest}`, upload method, headers with their secret values, time-out per request in seconds.

    Requests to a store with an `aws` credential are signed.
    """

    name: str
    url: str
    method: Literal["PUT", "POST"] = "PUT"
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    timeout: float = 60.0
    aws: AwsCredential | None = None

    @property
    def is_built_in(self) -> bool:
        """True if the local stack serves the store: only a process of this user may answer there."""
        return self.name == LOCAL

    def content_url(self, digest: str) -> str:
        """Return the URL of a content. A signature covers one spelling of the path, that of S3 with `%3A`."""
        return self.url.replace("{digest}", digest.replace(":", "%3A") if self.aws else digest)


@dataclass(frozen=True)
class Endpoints:
    """The endpoints that a registration needs. `local`: the Prefect API and its worker belong to the local stack."""

    prefect: PrefectApi
    store: Store
    work_pool: str | None
    local: bool


class StackRecord(BaseModel):
    """The supervisor's record of the local stack (`stack.json`, mode 0600).

    A service that was not requested has no URL. `stays` is true after `satflow up`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    pid: int
    prefect_url: str | None = None
    prefect_auth: str | None = None
    store_url: str | None = None
    store_token: str | None = None
    gateway_url: str | None = None
    gateway_schedulers: str | None = None
    gateway_password: str | None = None
    stays: bool = False


def is_on_loopback(url: str) -> bool:
    """Return whether the address is on the loopback interface: such a request never goes through a proxy."""
    try:
        return urlsplit(url).hostname in LOOPBACK
    except ValueError:  # such as http://[
        return False


def hide_credentials(url: str) -> str:
    """Return the address without a user name and password, for messages."""
    try:
        parts = urlsplit(url)
    except ValueError:  # not a URL, so it contains no credential
        return url
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def record_path(settings: Settings) -> Path:
    """Return the path of the supervisor's record."""
    return settings.runtime_dir / "stack.json"


def read_record(settings: Settings) -> StackRecord | None:
    """Read the record of the local stack, None if no stack runs.

    Raises:
        StackFailed: the record exists and cannot be read by this version.
    """
    try:
        return StackRecord.model_validate_json(record_path(settings).read_bytes())
    except FileNotFoundError:
        return None
    except ValueError:
        fix = "Run `satflow down`, then `satflow up`."
        raise StackFailed(f"{record_path(settings)} was written by another version of SatFlow.", fix=fix) from None


def list_needed_services(settings: Settings) -> frozenset[Service]:
    """Return the services that the settings do not configure and the local stack has to run."""
    services: set[Service] = set()
    if settings.prefect_api_url is None:
        services.add("prefect")
    if settings.store == LOCAL:
        services.add("store")
    return frozenset(services)


def resolve_endpoints(settings: Settings, record: StackRecord | None) -> Endpoints:
    """Combine the settings with the local stack's record.

    Raises:
        SettingsWrong: the store is not configured, or one of its variables is not set.
        StackFailed: the local stack is needed and does not run.
    """
    local = settings.prefect_api_url is None
    return Endpoints(
        prefect=resolve_prefect(settings, record),
        store=find_store(settings.store, settings, record),
        work_pool=settings.work_pool or (LOCAL_POOL if local else None),
        local=local,
    )


def find_store(
    name: str, settings: Settings, record: StackRecord | None, environment: Mapping[str, str] = os.environ
) -> Store:
    """Return the store of that name, with its credential.

    Args:
        name: name of the store.
        settings: settings with the configured stores.
        record: record of the local stack, for the built-in store.
        environment: environment variables with the credentials, which may be those of another process.

    Raises:
        SettingsWrong: the store is not configured, or a variable that its headers refer to is not set.
        StackFailed: it is the built-in store and the local stack does not run.
    """
    if name == LOCAL:
        if record is None or record.store_url is None:
            raise StackFailed("The built-in store is not running.", fix="Start it with `satflow up`.")
        headers = {"Authorization": f"Bearer {record.store_token}"}
        return Store(LOCAL, record.store_url + "/{digest}", headers=headers)
    if name not in settings.stores:
        known = ", ".join(sorted({LOCAL, *settings.stores}))
        raise SettingsWrong(
            f"No store is named {name!r} in the settings.",
            fix=f"Add [stores.{name}] to satflow.toml. Configured stores: {known}.",
        )
    return build_store(name, settings.stores[name], environment)


def build_store(name: str, store_settings: StoreSettings, environment: Mapping[str, str] = os.environ) -> Store:
    """Return the store that the settings describe, with its credential.

    Raises:
        SettingsWrong: a variable that they refer to is not set.
    """

    def value(variable: str) -> str:
        return _read_variable(variable, name, environment)

    headers = {header: value(variable) for header, variable in store_settings.headers.items()}
    aws = _read_aws_credential(store_settings.aws, value) if store_settings.aws else None
    return Store(name, store_settings.url, store_settings.method, headers, store_settings.timeout, aws)


def _read_aws_credential(aws_settings: AwsSettings, read_variable: Callable[[str], str]) -> AwsCredential:
    token = read_variable(aws_settings.session_token) if aws_settings.session_token else None
    return AwsCredential(
        aws_settings.region, read_variable(aws_settings.key_id), read_variable(aws_settings.secret_key), token
    )


def fingerprint_store(store: Store, record: StackRecord) -> str:
    """Return an HMAC of a store's address and credential, which identifies both without revealing them.

    Its key is made of secrets that only this user can read.
    """
    key = f"{record.store_token} {record.prefect_auth}".encode()
    signer = astuple(store.aws) if store.aws else ()
    identity = json.dumps([store.url, sorted(store.headers.items()), signer]).encode()
    return hmac.new(key, identity, hashlib.sha256).hexdigest()


def resolve_prefect(settings: Settings, record: StackRecord | None) -> PrefectApi:
    """Return the Prefect API of the settings, or that of the local stack.

    Raises:
        StackFailed: the local stack is needed and does not run.
    """
    if settings.prefect_api_url is not None:
        # Prefect's variables belong together: a key is sent only to the address that it was set with.
        environment = os.environ if os.environ.get("PREFECT_API_URL") in (None, "", settings.prefect_api_url) else {}
        profile = find_profile(settings)
        return PrefectApi(
            settings.prefect_api_url,
            auth_string=environment.get("PREFECT_API_AUTH_STRING") or (profile.auth_string if profile else None),
            api_key=environment.get("PREFECT_API_KEY") or (profile.api_key if profile else None),
            profile=profile.name if profile else None,
        )
    if record is None or record.prefect_url is None:
        raise StackFailed("The local Prefect server is not running.", fix="Start it with `satflow up`.")
    return local_prefect_api(record.prefect_url, record.prefect_auth)


def find_profile(settings: Settings) -> PrefectProfile | None:
    """Return Prefect's active profile if it has the Prefect API in use, which is then the address that its credential is for."""
    profile = read_active_profile() if settings.prefect_api_url is not None else None
    return profile if profile and profile.api_url == settings.prefect_api_url else None


def read_local_prefect(settings: Settings) -> PrefectApi | None:
    """Read the address of the local stack's Prefect API, None if it does not run. Blocks."""
    record = read_record(settings)
    if record is None or record.prefect_url is None:
        return None
    return local_prefect_api(record.prefect_url, record.prefect_auth)


def local_prefect_api(url: str, auth_string: str | None) -> PrefectApi:
    """Return the Prefect API of the local stack."""
    return PrefectApi(url, auth_string=auth_string, local=True)


def _read_variable(variable: str, store: str, environment: Mapping[str, str]) -> str:
    value = environment.get(variable)
    if not value:
        raise SettingsWrong(f"Store {store!r} needs the environment variable {variable}.", fix="Set it and try again.")
    return value
