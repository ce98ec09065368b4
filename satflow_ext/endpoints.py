"""Where things are: the Prefect API and the store that are used now.

Each is either named in the settings or run by the local stack, whose supervisor writes a record of itself into the runtime
folder. A flow run reads the same record, so a credential reaches it by a private file and never through the Prefect API.
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
from satflow_ext.settings import LOCAL, AwsSettings, Settings, StoreSettings

Service = Literal["prefect", "store", "gateway"]

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})

LOCAL_POOL = "satflow-local"
"""The work pool of the local stack."""


@dataclass(frozen=True)
class PrefectApi:
    """A Prefect API and the credential that belongs to it, and to nothing else.

    `local` says that the local stack serves it: only a process of this user may answer there.
    """

    url: str
    auth_string: str | None = field(default=None, repr=False)
    api_key: str | None = field(default=None, repr=False)
    local: bool = False


@dataclass(frozen=True)
class AwsCredential:
    """Who signs the requests to an S3-compatible store, and for which region."""

    region: str
    key_id: str
    secret_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Store:
    """A store: URL template with `{digest}`, method for sending, headers with their secret values, seconds per request.

    Requests to one with an `aws` credential are signed.
    """

    name: str
    url: str
    method: Literal["PUT", "POST"] = "PUT"
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    timeout: float = 60.0
    aws: AwsCredential | None = None

    @property
    def own(self) -> bool:
        """Whether the local stack serves it: only a process of this user may answer there."""
        return self.name == LOCAL

    def address(self, digest: str) -> str:
        """Where the content of that digest is. A signature is over one spelling of the path: S3's own, with `%3A`."""
        return self.url.replace("{digest}", digest.replace(":", "%3A") if self.aws else digest)


@dataclass(frozen=True)
class Endpoints:
    """What a registration needs to know. `local` says that the Prefect API and its worker are the local stack's."""

    prefect: PrefectApi
    store: Store
    work_pool: str | None
    local: bool


class StackRecord(BaseModel):
    """What the supervisor of the local stack says of itself (`stack.json`, mode 0600).

    A service that was not asked for has no URL. `stays` is true after `satflow up`.
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


def on_loopback(url: str) -> bool:
    """Whether the address is this machine's own: such a request never goes through a proxy."""
    try:
        return urlsplit(url).hostname in LOOPBACK
    except ValueError:  # such as http://[
        return False


def shown(url: str) -> str:
    """The address as it may stand in messages: without a user name and password that somebody put into it."""
    try:
        parts = urlsplit(url)
    except ValueError:  # no address that could hold any
        return url
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def record_path(settings: Settings) -> Path:
    """Where the supervisor's record stands."""
    return settings.runtime_dir / "stack.json"


def read_record(settings: Settings) -> StackRecord | None:
    """The record of the local stack, None when none runs.

    Raises:
        StackFailed: there is one that cannot be read here.
    """
    try:
        return StackRecord.model_validate_json(record_path(settings).read_bytes())
    except FileNotFoundError:
        return None
    except ValueError:
        fix = "Run `satflow down`, then `satflow up`."
        raise StackFailed(f"{record_path(settings)} is of another version of SatFlow.", fix=fix) from None


def needed(settings: Settings) -> frozenset[Service]:
    """The services that the settings leave to the local stack."""
    services: set[Service] = set()
    if settings.prefect_api_url is None:
        services.add("prefect")
    if settings.store == LOCAL:
        services.add("store")
    return frozenset(services)


def resolve(settings: Settings, record: StackRecord | None) -> Endpoints:
    """Put settings and the local stack's record together.

    Raises:
        SettingsWrong: a store name or one of its variables is not set.
        StackFailed: the local stack is needed and does not run.
    """
    local = settings.prefect_api_url is None
    return Endpoints(
        prefect=_prefect(settings, record),
        store=store_named(settings.store, settings, record),
        work_pool=settings.work_pool or (LOCAL_POOL if local else None),
        local=local,
    )


def store_named(
    name: str, settings: Settings, record: StackRecord | None, environment: Mapping[str, str] = os.environ
) -> Store:
    """The store of that name, with its credential.

    Args:
        name: of a store.
        settings: where the stores are.
        record: of the local stack, for the built-in one.
        environment: holds the credentials; another process's, where that process is asked for.

    Raises:
        SettingsWrong: no such store in the settings, or a variable that its headers name is not set.
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
            f"No store is called {name!r} here.", fix=f"Add [stores.{name}] to satflow.toml. Known: {known}."
        )
    return store_of(name, settings.stores[name], environment)


def store_of(name: str, wanted: StoreSettings, environment: Mapping[str, str] = os.environ) -> Store:
    """The store that some settings describe, with its credential.

    Raises:
        SettingsWrong: a variable that they name is not set.
    """

    def value(variable: str) -> str:
        return _variable(variable, name, environment)

    headers = {header: value(variable) for header, variable in wanted.headers.items()}
    aws = _aws_credential(wanted.aws, value) if wanted.aws else None
    return Store(name, wanted.url, wanted.method, headers, wanted.timeout, aws)


def _aws_credential(wanted: AwsSettings, value: Callable[[str], str]) -> AwsCredential:
    token = value(wanted.session_token) if wanted.session_token else None
    return AwsCredential(wanted.region, value(wanted.key_id), value(wanted.secret_key), token)


def store_mark(store: Store, record: StackRecord) -> str:
    """What tells one address and credential from another and shows neither: keyed with what only this user can read."""
    key = f"{record.store_token} {record.prefect_auth}".encode()
    signer = astuple(store.aws) if store.aws else ()
    said = json.dumps([store.url, sorted(store.headers.items()), signer]).encode()
    return hmac.new(key, said, hashlib.sha256).hexdigest()


def _prefect(settings: Settings, record: StackRecord | None) -> PrefectApi:
    if settings.prefect_api_url is not None:
        # Prefect's variables belong together: a key is never sent to another address than the one it was set with.
        lent = os.environ if os.environ.get("PREFECT_API_URL") in (None, "", settings.prefect_api_url) else {}
        return PrefectApi(
            settings.prefect_api_url,
            auth_string=lent.get("PREFECT_API_AUTH_STRING"),
            api_key=lent.get("PREFECT_API_KEY"),
        )
    if record is None or record.prefect_url is None:
        raise StackFailed("The local Prefect server is not running.", fix="Start it with `satflow up`.")
    return own_prefect(record.prefect_url, record.prefect_auth)


def own_prefect(url: str, auth_string: str | None) -> PrefectApi:
    """The Prefect API of the local stack."""
    return PrefectApi(url, auth_string=auth_string, local=True)


def _variable(variable: str, store: str, environment: Mapping[str, str]) -> str:
    value = environment.get(variable)
    if not value:
        raise SettingsWrong(f"Store {store!r} needs the environment variable {variable}.", fix="Set it and try again.")
    return value
