"""A trial load of a packed flow in a fork of the template."""

from __future__ import annotations

import os
import sys
import traceback
from types import ModuleType
from typing import NoReturn

import cloudpickle

from satflow_ext.fork_requests.trial_load import BODY
from satflow_ext.run_template.fork import ForkRequest


def execute_load(request: ForkRequest) -> NoReturn:
    """Load the flow that the user has just packed, and end with exit code 0, or print the exception and end with 1."""
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        with open(request.environment[BODY], "rb") as file:
            cloudpickle.load(file)
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    os._exit(0)
