"""Stacks of the tests' own, apart from the one that all other tests share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stack.place import Place, placed


@pytest.fixture
def whole(house: Path) -> Iterator[Place]:
    """A place for a whole stack: Prefect server, Prefect worker, store."""
    with placed(house, prefect_api_url=None) as place:
        yield place


@pytest.fixture
def light(house: Path) -> Iterator[Place]:
    """A place for a stack that needs to run the store only, and so starts at once."""
    with placed(house, prefect_api_url="http://127.0.0.1:9/api") as place:
        yield place
