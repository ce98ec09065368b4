"""Whether an HTTP endpoint is a store: checks that anybody can let loose on their own.

`suite.run` does them one after the other. A *required* check is one without which registering or running goes wrong; a
*recommended* one is of something that SatFlow does without, because it verifies by itself, and that makes a store safer.
"""

from __future__ import annotations

from satflow_ext.conformance.check_base import Result
from satflow_ext.conformance.suite import Report, run

__all__ = ["Report", "Result", "run"]
