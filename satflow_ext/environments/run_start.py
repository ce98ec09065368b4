"""Start a flow run in the environment that was built for it: `python -m satflow_ext.environments.run_start FOLDER`.

The command of deployments that recreate their environment, on this machine. The first run finds no environment and starts as any
other does; its loader builds the environment and goes on in it. Every later run starts there at once, so nothing that is slow to
import is imported here.
"""

from __future__ import annotations

import os
import sys
from typing import NoReturn


def python_in(environment: str) -> str:
    """The interpreter of an environment; it is there only when the environment is whole."""
    return os.path.join(environment, "bin", "python")


def variables(environment: str) -> dict[str, str]:
    """What activating an environment sets, so that programs started by a flow come from it, too."""
    path = os.pathsep.join([os.path.join(environment, "bin"), os.environ.get("PATH", os.defpath)])
    return {"VIRTUAL_ENV": environment, "PATH": path}


def become_engine(environment: str, changes: dict[str, str]) -> NoReturn:
    """Become Prefect's engine under an environment's interpreter, in this process.

    Args:
        environment: the folder of the environment.
        changes: environment variables to set besides those of the environment.
    """
    python = python_in(environment)
    os.execve(python, [python, "-m", "prefect.engine"], {**os.environ, **variables(environment), **changes})


def main(environment: str) -> NoReturn:
    """Become Prefect's engine: in the environment where it is there, under this interpreter where not."""
    if os.path.exists(python_in(environment)):
        become_engine(environment, {})
    os.execv(sys.executable, [sys.executable, "-m", "prefect.engine"])


if __name__ == "__main__":
    main(sys.argv[1])
