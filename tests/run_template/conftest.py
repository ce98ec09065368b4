"""Template processes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.prefect_objects import Prefect
from tests.run_template.templates import Template


@pytest.fixture(scope="module")
def template(prefect_api, tmp_path_factory) -> Iterator[Template]:
    started = Template(Prefect(prefect_api), tmp_path_factory.mktemp("template"))
    yield started
    started.end()


@pytest.fixture
def victim(prefect_api, tmp_path) -> Iterator[Template]:
    """A template to which something happens."""
    started = Template(Prefect(prefect_api), tmp_path)
    yield started
    started.end()


@pytest.fixture
def spare(prefect_api, tmp_path) -> Iterator[Template]:
    """A spare interpreter."""
    started = Template(Prefect(prefect_api), tmp_path, "--spare")
    yield started
    started.end()


@pytest.fixture(scope="module")
def dask_template(template) -> Template:
    """The same, with the template for Dask workers."""
    template.start_for_dask()
    return template
