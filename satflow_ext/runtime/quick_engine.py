"""Work of Prefect's engine that each flow run repeats or waits for without need, left out in the processes of flow runs.

Each function leaves versions of Prefect as they are that have no such place.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator, Mapping
from functools import cache, cached_property, partial, wraps
from inspect import signature
from typing import Any
from urllib.parse import urlsplit

from satflow_ext.endpoints import is_on_loopback

_MARK = "_satflow_shares_context"


def speed_up_engine() -> None:
    """Apply all of them to this process. Calling it again changes nothing."""
    end_without_heartbeat_wait()
    share_tls_context()
    read_few_settings_for_logging()


def end_without_heartbeat_wait() -> None:
    """Let synchronous flow runs and nested ones end at once.

    Prefect's engine waits for the thread that sends its heartbeats, which sleeps up to a second at a time. It does not wait in
    asynchronous flow runs: the thread ends by itself without sending another one.
    """
    from prefect import flow_engine

    send = getattr(flow_engine, "_send_heartbeats", None)
    if send is None or isinstance(send, partial):
        return
    if signature(send).parameters.keys() >= {"join_on_exit"}:
        flow_engine._send_heartbeats = partial(send, join_on_exit=False)


def share_tls_context() -> None:
    """Let Prefect's clients of an API on this machine, which has no TLS, share one TLS context without certificate authorities.

    Each client reads all authorities, which takes 20 ms of processor time, and a flow run makes seven clients. A redirect to
    another machine would be refused: the context trusts no certificate.
    """
    from prefect.client import orchestration

    for kind in (orchestration.PrefectClient, orchestration.SyncPrefectClient):
        if not hasattr(kind.__init__, _MARK):
            kind.__init__ = _with_shared_context(kind.__init__)  # type: ignore[method-assign]


def _with_shared_context(initialize: Callable[..., None]) -> Callable[..., None]:
    @wraps(initialize)
    def initialize_client(self: Any, api: Any, **options: Any) -> None:
        if isinstance(api, str) and urlsplit(api).scheme == "http" and is_on_loopback(api):
            options["httpx_settings"] = {"verify": _empty_context(), **(options.get("httpx_settings") or {})}
        initialize(self, api, **options)

    setattr(initialize_client, _MARK, True)
    return initialize_client


@cache
def _empty_context() -> ssl.SSLContext:
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def read_few_settings_for_logging() -> None:
    """Let Prefect read only those settings for its logging configuration that the configuration names.

    Each process writes all settings as environment variables for that, which takes 70 ms of processor time.
    """
    from prefect.logging import configuration

    if hasattr(configuration, "get_current_settings"):
        configuration.get_current_settings = _LoggingSettings


class _LoggingSettings:
    """The part of Prefect's settings that `load_logging_config` uses."""

    def to_environment_variables(self, **options: Any) -> Mapping[str, str]:
        """Return the settings by the names of their environment variables."""
        return _NamedSettings(options)


class _NamedSettings(Mapping[str, str]):
    """The current settings by the names of their environment variables, each read when it is asked for.

    Args:
        options: options of Prefect's `to_environment_variables`, which is called for settings that are not texts.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._options = options

    def __getitem__(self, name: str) -> str:
        from prefect import settings

        known = getattr(settings, name, None)
        value = known.value() if known is not None and hasattr(known, "value") else None
        return value if isinstance(value, str) else self._all[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    @cached_property
    def _all(self) -> dict[str, str]:
        from prefect.settings import get_current_settings

        return get_current_settings().to_environment_variables(**self._options)
