"""Sphinx builds the documentation from the pages of this folder: `scripts/docs`."""

from __future__ import annotations

import json
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

project = "SatFlow"
author = "The SatFlow developers"
copyright = author  # noqa: A001 - Sphinx's name
release = version = json.loads((ROOT / "package.json").read_text())["version"]

extensions = ["myst_nb"]
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence"]
nb_execution_mode = "off"  # a test executes the tutorial, against a real local stack
nb_render_markdown_format = "myst"

html_theme = "pydata_sphinx_theme"
html_title = f"SatFlow {release}"
html_logo = str(ROOT / "style" / "icons" / "satflow.svg")
html_theme_options = {
    "logo": {"text": "SatFlow"},
    "navbar_align": "left",
    "header_links_before_dropdown": 7,
    "show_prev_next": False,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}
html_show_sourcelink = False
html_sidebars = {page: [] for page in ("install", "tutorial", "administrators", "troubleshooting", "faq")}

linkcheck_ignore = [r".*\.example(\.com|\.org)?\b.*", r"http://127\.0\.0\.1.*"]
