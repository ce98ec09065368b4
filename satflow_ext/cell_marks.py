"""Marks that users put on cells: a setup cell runs again in each flow run, a skipped cell is not executed by `satflow register`.

Imports only the standard library, because each kernel imports it when it starts.
"""

from __future__ import annotations

import re
from collections.abc import Collection

SETUP_TAG = "flow-setup"
"""The tag of a setup cell."""
SETUP_MAGIC = re.compile(r"\s*%%flow_setup\b.*")
"""Pattern of the first line of a setup cell."""
SKIP_PATTERN = re.compile(r"\s*%%skip_registering\b")
"""Pattern of the first line of a cell that `satflow register` skips."""


def is_setup(text: str, tags: Collection[str]) -> bool:
    """Return whether a cell with this text and these tags is a setup cell."""
    return SETUP_TAG in tags or SETUP_MAGIC.match(text) is not None
