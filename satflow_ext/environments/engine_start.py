"""Start a flow run in the environment built for it: `python -m satflow_ext.environments.engine_start FOLDER`.

This is the command of deployments on this machine that recreate their environment. The first run finds no environment and starts
like any other; its loader builds the environment and continues in it. Later runs start there directly, so this module
imports nothing that is slow to import.
"""

from __future__ import annotations

import os
import sys
from typing import NoReturn


def python_path(environment: str) -> str:
    """Return the path of an environment's interpreter, which exists only if the environment is complete."""
    return os.path.join(environment, "bin", "python")


def activation_variables(environment: str) -> dict[str, str]:
    """Return the variables of an activated environment, so that programs started by a flow use it as well."""
    path = os.pathsep.join([os.path.join(environment, "bin"), os.environ.get("PATH", os.defpath)])
    return {"VIRTUAL_ENV": environment, "PATH": path}


def become_engine(environment: str, changes: dict[str, str]) -> NoReturn:
    """Replace this process by Prefect's engine under an environment's interpreter.

    Args:
        environment: the folder of the environment.
        changes: environment variables to set in addition to those of the environment.
    """
    python = python_path(environment)
    os.execve(python, [python, "-m", "prefect.engine"], {**os.environ, **activation_variables(environment), **changes})


def main(environment: str) -> NoReturn:
    """Replace this process by Prefect's engine: in the environment if it exists, else under this interpreter."""
    if os.path.exists(python_path(environment)):
        become_engine(environment, {})
    os.execv(sys.executable, [sys.executable, "-m", "prefect.engine"])


if __name__ == "__main__":
    main(sys.argv[1])
