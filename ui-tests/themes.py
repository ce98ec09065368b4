"""JupyterLab's themes."""

from __future__ import annotations

from playwright.sync_api import Page
from screenshots import shot

THEMES = ["JupyterLab Light", "JupyterLab Dark", "JupyterLab Dark High Contrast"]


def show_themes(page: Page, name: str) -> None:
    """Save screenshots in each theme and in a narrow window."""
    for theme in THEMES:
        page.evaluate("theme => window.jupyterapp.commands.execute('apputils:change-theme', { theme })", theme)
        page.wait_for_timeout(1500)
        shot(page, f"{name}-{theme}")
    page.evaluate("() => window.jupyterapp.commands.execute('apputils:change-theme', { theme: 'JupyterLab Light' })")
    page.set_viewport_size({"width": 1100, "height": 800})
    page.wait_for_timeout(500)
    shot(page, f"{name}-narrow")
    page.set_viewport_size({"width": 1440, "height": 900})
