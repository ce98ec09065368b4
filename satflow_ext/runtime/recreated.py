"""Start a flow run in the environment that was built for it: `python -m satflow_ext.runtime.recreated DIGEST`.

The command of deployments that recreate their environment, on this machine. The first run finds no environment and starts as any
other does; its loader builds the environment and goes on in it (`surroundings`). Every later run starts there at once.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NoReturn

from satflow_ext import settings
from satflow_ext.environments.build import place, python_in
from satflow_ext.errors import SettingsWrong


def variables(environment: Path) -> dict[str, str]:
    """What activating an environment sets, so that programs started by a flow come from it, too."""
    path = os.pathsep.join([str(environment / "bin"), os.environ.get("PATH", os.defpath)])
    return {"VIRTUAL_ENV": str(environment), "PATH": path}


def main(digest: str) -> NoReturn:
    """Become Prefect's engine, under the environment's interpreter where it is there and under this one where not."""
    engine = ["-m", "prefect.engine"]
    environment = _environment(digest)
    if environment is not None and python_in(environment).exists():
        python = str(python_in(environment))
        os.execve(python, [python, *engine], {**os.environ, **variables(environment)})
    os.execv(sys.executable, [sys.executable, *engine])


def _environment(digest: str) -> Path | None:
    try:
        return place(digest, settings.load())
    except SettingsWrong:  # the loader says so in the run's log
        return None


if __name__ == "__main__":
    main(sys.argv[1])
