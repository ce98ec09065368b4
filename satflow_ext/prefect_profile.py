"""The active profile of Prefect, in which `prefect cloud login` and `prefect config set` write an API and its credential.

It is read without Prefect, whose import takes a second.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource


@dataclass(frozen=True)
class PrefectProfile:
    """A profile with the address of an API, and the credential that belongs to this address."""

    name: str
    api_url: str
    auth_string: str | None = field(default=None, repr=False)
    api_key: str | None = field(default=None, repr=False)


class _ProfilesFile(BaseSettings):
    model_config = SettingsConfigDict(extra="ignore", frozen=True)

    active: str | None = None
    profiles: dict[str, dict[str, Any]] = {}

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], *_: PydanticBaseSettingsSource, **__: PydanticBaseSettingsSource
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (TomlConfigSettingsSource(settings_cls, profiles_path()),)


def profiles_path() -> Path:
    """Return the path of Prefect's profiles, which need not exist."""
    home = Path(os.path.expanduser(os.environ.get("PREFECT_HOME") or "~/.prefect"))
    return Path(os.path.expanduser(os.environ.get("PREFECT_PROFILES_PATH") or home / "profiles.toml"))


def read_active_profile() -> PrefectProfile | None:
    """Return the profile that Prefect uses here, None if it has no API.

    Raises:
        ValueError: the file is not a valid file of profiles.
    """
    if not profiles_path().is_file():
        return None
    try:
        found = _ProfilesFile()
    except (ValueError, ValidationError) as error:
        raise ValueError(f"{profiles_path()} cannot be read: {error}") from None
    name = os.environ.get("PREFECT_PROFILE") or found.active
    values = found.profiles.get(name or "", {})
    url = values.get("PREFECT_API_URL")
    if not name or not url:
        return None
    credential = {key: values.get(f"PREFECT_API_{key.upper()}") for key in ("auth_string", "key")}
    return PrefectProfile(name, str(url), credential["auth_string"], credential["key"])
