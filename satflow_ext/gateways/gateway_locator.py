"""Locations and credentials of Dask Gateways, by name."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from satflow_ext.endpoints import StackRecord
from satflow_ext.errors import SettingsWrong, StackFailed
from satflow_ext.settings import GatewaySettings, Settings

GATEWAY_USER = "satflow"
"""User name of all clients of the local stack's Dask Gateway."""


@dataclass(frozen=True)
class DaskGateway:
    """A Dask Gateway and its credential.

    `schedulers` is the `host:port` for connections to schedulers, or None if it is the same as in the url. `name` is "" for
    the local stack's gateway.
    """

    name: str
    url: str
    auth: Literal["basic", "jupyterhub"]
    user: str | None
    credential: str = field(repr=False)
    schedulers: str | None = None

    @property
    def is_local(self) -> bool:
        """True for the local stack's gateway."""
        return not self.name

    def __str__(self) -> str:
        return f"the Dask Gateway {self.name!r}" if self.name else "the Dask Gateway of this machine"


def find_gateway(
    name: str, settings: Settings, record: StackRecord | None, environment: Mapping[str, str] = os.environ
) -> DaskGateway:
    """Return the Dask Gateway with this name and its credential.

    Args:
        name: name of a gateway in the settings, or "" for the local stack's gateway.
        settings: define the gateways.
        record: the local stack's record, for its gateway.
        environment: contains the credentials.

    Raises:
        SettingsWrong: the settings have no such gateway, or the variable of its credential is not set.
        StackFailed: the local stack's gateway is not running.
    """
    if not name:
        if record is None or record.gateway_url is None or record.gateway_password is None:
            raise StackFailed("The Dask Gateway of the local stack is not running.", fix="Start it with `satflow up`.")
        return DaskGateway(
            "", record.gateway_url, "basic", GATEWAY_USER, record.gateway_password, record.gateway_schedulers
        )
    found = find_gateway_settings(name, settings)
    value = environment.get(found.credential)
    if not value:
        raise SettingsWrong(
            f"The Dask Gateway {name!r} needs the environment variable {found.credential}.", fix="Set it and try again."
        )
    return DaskGateway(name, found.url, found.auth, found.user, value, found.schedulers)


def find_gateway_settings(name: str, settings: Settings) -> GatewaySettings:
    """Return the settings of a Dask Gateway.

    Raises:
        SettingsWrong: the settings have no gateway with this name.
    """
    if name not in settings.gateways:
        known = f" Configured: {', '.join(sorted(settings.gateways))}." if settings.gateways else ""
        fix = f"Add [gateways.{name}] to satflow.toml, or leave the name empty to use this machine's gateway.{known}"
        raise SettingsWrong(
            f"No Dask Gateway is called {name!r} in the settings.", fix=fix, field="executor.options.gateway"
        )
    return settings.gateways[name]
