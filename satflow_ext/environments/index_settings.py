"""The user's pip settings for package indexes, translated for uv, which does not read them."""

from __future__ import annotations

import configparser
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import platformdirs

UV_VARIABLES = ("UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS", "UV_CONFIG_FILE")
UV_EQUIVALENTS = {
    "index-url": ("UV_DEFAULT_INDEX", " "),
    "extra-index-url": ("UV_INDEX", " "),
    "find-links": ("UV_FIND_LINKS", ","),
    "trusted-host": ("UV_INSECURE_HOST", " "),
    "cert": ("SSL_CERT_FILE", " "),
}
"""pip's option → uv's environment variable, and what separates its values."""


def uv_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Return environment variables to add for uv; none if the user has configured uv itself.

    Variables are used instead of arguments, because an index's address may contain a password.
    """
    if any(environment.get(name) for name in UV_VARIABLES) or any(file.exists() for file in _uv_files()):
        return {}
    pip_options = {**_read_files(environment), **_read_variables(environment)}
    added = {
        UV_EQUIVALENTS[option][0]: UV_EQUIVALENTS[option][1].join(value.split())
        for option, value in pip_options.items()
        if value.split()
    }
    # pip considers all indexes equally; uv would stop at the first one that has the package.
    strategy = {"UV_INDEX_STRATEGY": "unsafe-best-match"} if "UV_INDEX" in added else {}
    return {name: value for name, value in {**added, **strategy}.items() if name not in environment}


def _read_variables(environment: Mapping[str, str]) -> dict[str, str]:
    names = {option: f"PIP_{option.upper().replace('-', '_')}" for option in UV_EQUIVALENTS}
    return {option: environment[name] for option, name in names.items() if environment.get(name)}


def _read_files(environment: Mapping[str, str]) -> dict[str, str]:
    pip_options: dict[str, str] = {}
    for file in _pip_files(environment):
        parser = configparser.RawConfigParser()
        try:
            parser.read(file, encoding="utf-8")
        except (configparser.Error, ValueError):
            continue  # pip itself reports the error
        for section in ("global", "install"):
            pip_options |= {
                option: parser[section][option] for option in UV_EQUIVALENTS if parser.has_option(section, option)
            }
    return pip_options


def _pip_files(environment: Mapping[str, str]) -> list[Path]:
    """Return pip's configuration files, highest precedence last (pip's documentation, "Configuration", "Location")."""
    home = Path.home()
    named = environment.get("PIP_CONFIG_FILE")
    if named == os.devnull:
        return []
    files = [Path("/etc/pip.conf"), home / ".pip" / "pip.conf", platformdirs.user_config_path("pip") / "pip.conf"]
    return [*files, Path(sys.prefix) / "pip.conf", *([Path(named)] if named else [])]


def _uv_files() -> tuple[Path, Path]:
    return platformdirs.user_config_path("uv") / "uv.toml", Path("/etc/uv/uv.toml")
