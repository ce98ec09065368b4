"""SatFlow: from a Prefect flow in a notebook cell to a scheduled, distributed, watched run.

Importing this package loads nothing else: a notebook kernel imports it at every start.
"""

from __future__ import annotations
