"""Prefect's settings for its clients that also apply to ours: extra headers, TLS certificates, status codes to retry."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from satflow_ext.endpoints import PrefectApi
from satflow_ext.prefect_profile import profiles_path

SETTING_NAMES = ("custom_headers", "retry_extra_codes", "tls_insecure_skip_verify", "ssl_cert_file")
"""The settings, as in a settings file; the names of their environment variables contain the same words in upper case."""

LOCATION_NAMES = ("home", "profiles_path")
"""The settings that define where Prefect's profiles are."""

SETTINGS_FILES = {".env": "prefect_", "prefect.toml": "", "pyproject.toml": "tool.prefect"}
"""The files of the current folder in which Prefect looks for settings, and a text that such settings contain there."""

PROTECTED_HEADERS = frozenset({"user-agent", "prefect-csrf-token", "prefect-csrf-client"})
"""Headers that Prefect's own client does not let its settings replace."""


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
