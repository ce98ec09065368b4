"""Names instead of places: what a text says of folders, stores and clusters of this machine, without saying where they are."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from satflow_ext.settings import Settings, config_file

SHORTEST = 5
"""Characters. A shorter place, such as `/` or `/srv`, stands in too many texts, and tells nothing."""

CLUSTER = re.compile(r"\b(?:tcp|tls|ucx|inproc|ray)://[^\s'\"<>,;)\]}]+")
"""How Dask writes the address of a scheduler or worker, and Ray that of a cluster."""


def places(settings: Settings) -> dict[str, str]:
    """Place → name, for what this machine's settings know."""
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
    return {place: name for place, name in {**folders, **stores}.items() if len(place) >= SHORTEST}


class Namer:
    """Puts names where places stand.

    Args:
        known: place → name.
    """

    def __init__(self, known: Mapping[str, str]) -> None:
        # The longest first: most folders are inside of others.
        self._known = {place: known[place] for place in sorted(known, key=len, reverse=True)}
        self._pattern = re.compile("|".join(map(re.escape, self._known)) or r"(?!)")

    def __call__(self, text: str) -> str:
        """The text without places."""
        return CLUSTER.sub("[cluster address]", self._pattern.sub(lambda found: self._known[found[0]], text))
