"""The magics, from their parsers, and the marks of cells."""

from __future__ import annotations

from reference_pages.command_line import render_parser
from satflow_ext.choices.register_line import build_parser
from satflow_ext.kernel.magics import (
    build_cluster_parser,
    build_debug_parser,
    build_load_parser,
    build_run_parser,
)

HEAD = """# Magics

The magics exist in every notebook of an environment in which SatFlow is installed. In another IPython shell, `%load_ext satflow_ext` adds them.
Each magic has `--help`, and `%register_flow` completes flows, options, executors and their options.
"""
CELLS = """
## Marks of cells

The first line of a cell, or a tag of the cell:

| first line | tag | effect |
|---|---|---|
| `%%flow_setup` | `flow-setup` | The cell also runs in each process of a flow run, before the flow is loaded ([what-travels.md](../what-travels.md)). |
| `%%skip_registering` | `skip-registering` | `satflow register` does not execute the cell. |
"""


def render_magics() -> str:
    """Render the page."""
    parsers = (build_parser(), build_load_parser(), build_run_parser(), build_debug_parser(), build_cluster_parser())
    return HEAD + "".join(part for parser in parsers for part in render_parser(parser, "##")) + CELLS
