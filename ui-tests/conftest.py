"""Fixtures: a real JupyterLab, kernels, local stack and Chromium; screenshots are saved to `ui-tests/output/`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from chromium import running_chromium
from lab import Lab, running_lab
from playwright.sync_api import Browser, Page, expect
from screenshots import shot

PATIENCE = 120_000
"""Milliseconds for what the page does without a server, beside other tests that use all processors."""


def pytest_configure() -> None:
    expect.set_options(timeout=PATIENCE)


@pytest.hookimpl(tryfirst=True)  # before `-m` selects
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.add_marker("browser")


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A JupyterLab for this test session, without any configuration."""
    with running_lab(tmp_path_factory.mktemp("lab")) as lab:
        yield lab


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    with running_chromium() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser, lab: Lab, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page on JupyterLab with an empty workspace. Shuts its kernels down at the end and saves a screenshot."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    lab.open(page)
    yield page
    shot(page, f"end-{request.node.name}")
    lab.shut_kernels_down(page)
    context.close()
    assert not errors, f"the page raised: {errors}"
