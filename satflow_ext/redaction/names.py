"""Replacement of the paths and addresses of this machine's folders, stores and clusters in texts by names."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from satflow_ext.settings import Settings, config_file

MIN_LENGTH = 5
"""Minimum characters of a place. A shorter one, such as `/` or `/srv`, appears in many texts and reveals nothing."""

CLUSTER_ADDRESS = re.compile(r"\b(?:tcp|tls|ucx|inproc|ray)://[^\s'\"<>,;)\]}]+")
"""Addresses of schedulers and workers in Dask's format, and of clusters in Ray's."""


def list_places(settings: Settings) -> dict[str, str]:
    """Return place → name for the paths and addresses in this machine's settings."""
    folders = {
        str(settings.secrets_dir): "[secrets_dir]",
        str(settings.runtime_dir): "[runtime_dir]",
        str(settings.state_dir): "[state_dir]",
        str(settings.cache_dir): "[cache_dir]",
        str(config_file()): "[satflow.toml]",
        str(Path.home()): "~",
    }
    if sys.prefix != sys.base_prefix:
        folders[sys.prefix] = "[environment]"
    stores = {urlsplit(store.url).netloc: f"[store {name}]" for name, store in settings.stores.items()}
    return {place: name for place, name in {**folders, **stores}.items() if len(place) >= MIN_LENGTH}


class PlaceRedactor:
    """A callable that replaces places by names.

    Args:
        known: place → name.
    """

    def __init__(self, known: Mapping[str, str]) -> None:
        # The longest first: most folders are inside of others.
        self._known = {place: known[place] for place in sorted(known, key=len, reverse=True)}
        self._pattern = re.compile("|".join(map(re.escape, self._known)) or r"(?!)")

    def __call__(self, text: str) -> str:
        """Return the text with all places replaced."""
        return CLUSTER_ADDRESS.sub("[cluster address]", self._pattern.sub(lambda found: self._known[found[0]], text))
