"""Dask Gateways by name: where they are, and the credential that belongs to each."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from satflow_ext.endpoints import StackRecord
from satflow_ext.errors import SettingsWrong, StackFailed
from satflow_ext.settings import GatewaySettings, Settings

GATEWAY_USER = "satflow"
"""Who all clients of the local stack's Dask Gateway are."""


@dataclass(frozen=True)
class DaskGateway:
    """A Dask Gateway and the credential that belongs to it.

    `schedulers` is the `host:port` that takes connections to schedulers, None where it is the url's. `name` is "" for the
    local stack's own.
    """

    name: str
    url: str
    auth: Literal["basic", "jupyterhub"]
    user: str | None
    credential: str = field(repr=False)
    schedulers: str | None = None

    @property
    def local(self) -> bool:
        """Whether it is the local stack's own."""
        return not self.name

    def __str__(self) -> str:
        return f"the Dask Gateway {self.name!r}" if self.name else "the Dask Gateway of this machine"


def gateway_named(
    name: str, settings: Settings, record: StackRecord | None, environment: Mapping[str, str] = os.environ
) -> DaskGateway:
    """The Dask Gateway of that name, with its credential.

    Args:
        name: of a gateway in the settings, or "" for the local stack's own.
        settings: where the gateways are.
        record: of the local stack, for its own.
        environment: holds the credentials.

    Raises:
        SettingsWrong: no such gateway in the settings, or the variable of its credential is not set.
        StackFailed: it is the local stack's own, which does not run.
    """
    if not name:
        if record is None or record.gateway_url is None or record.gateway_password is None:
            raise StackFailed("The Dask Gateway of the local stack is not running.", fix="Start it with `satflow up`.")
        return DaskGateway(
            "", record.gateway_url, "basic", GATEWAY_USER, record.gateway_password, record.gateway_schedulers
        )
    found = gateway_settings(name, settings)
    value = environment.get(found.credential)
    if not value:
        raise SettingsWrong(
            f"The Dask Gateway {name!r} needs the environment variable {found.credential}.", fix="Set it and try again."
        )
    return DaskGateway(name, found.url, found.auth, found.user, value, found.schedulers)


def gateway_settings(name: str, settings: Settings) -> GatewaySettings:
    """What the settings say of a Dask Gateway.

    Raises:
        SettingsWrong: nothing.
    """
    if name not in settings.gateways:
        known = f" Known: {', '.join(sorted(settings.gateways))}." if settings.gateways else ""
        fix = f"Add [gateways.{name}] to satflow.toml, or leave it empty for this machine's own.{known}"
        raise SettingsWrong(f"No Dask Gateway is called {name!r} here.", fix=fix, field="executor.options.gateway")
    return settings.gateways[name]
