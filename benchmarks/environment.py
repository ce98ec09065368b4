"""An environment built again from a lock, beside plain `uv venv && uv pip install -r` with the same uv cache.

The lock is of everything that is installed here from an index. Cold: no environment is there, uv has the wheels. Warm: it is
there; ours is all that a run does before it starts in it, the peer's is what a script would run to make sure of it.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from figure import p50, report

from satflow_ext.environments import build, installed, locked_packages
from satflow_ext.models import Environment
from satflow_ext.settings import load_settings

COLD = 3
WARM = 9

WARM_CODE = """
import os
from satflow_ext.environments.engine_start import python_path
assert os.path.exists(python_path({place!r}))
"""


def lock_of_here() -> Environment:
    """This environment without what no index has."""
    here = installed.read_environment()
    obtainable = [each for each in here.distributions if locked_packages.exact_requirement(each)]
    return here.model_copy(update={"distributions": tuple(obtainable)})


def milliseconds(work: Callable[[], object]) -> float:
    """How long it takes."""
    start = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - start)


def ours(lock: Environment, folder: Path) -> Path:
    """Build below a folder, or find it built."""
    settings = load_settings().model_copy(update={"cache_dir": folder})
    return build.build_environment(lock, settings, lambda text: None)


def peer(listed: Path, environment: Path) -> None:
    """What one would type."""
    uv = [str(Path(sys.executable).with_name("uv")), "--quiet"]
    subprocess.run([*uv, "venv", "--allow-existing", "--python", sys.executable, str(environment)], check=True)
    install = ["pip", "install", "--python", str(environment / "bin/python"), "--no-deps", "-r", str(listed)]
    subprocess.run([*uv, *install], check=True)


def _cold(lock: Environment, listed: Path, folder: Path) -> tuple[float, float]:
    return milliseconds(lambda: ours(lock, folder / "ours")), milliseconds(lambda: peer(listed, folder / "peer"))


def main(folder: Path) -> None:
    """Measure in turns, after one round that fills uv's cache."""
    lock = lock_of_here()
    listed = folder / "requirements.txt"
    listed.write_text(locked_packages.requirements_text(lock))
    peer(listed, folder / "first")
    cold = [_cold(lock, listed, folder / str(number)) for number in range(COLD)]
    built = ours(lock, folder / "0" / "ours")
    start = [sys.executable, "-c", WARM_CODE.format(place=str(built))]
    warm = [
        (milliseconds(lambda: subprocess.run(start, check=True)), milliseconds(lambda: peer(listed, folder / "0/peer")))
        for _ in range(WARM)
    ]
    for name, pairs in (("environment.cold", cold), ("environment.warm", warm)):
        report(name, p50([mine for mine, _ in pairs]), p50([theirs for _, theirs in pairs]), n=len(pairs))
    locked = [milliseconds(_read_afresh) for _ in range(WARM)]
    report("environment.lock", p50(locked), n=len(locked))


def _read_afresh() -> None:
    installed._read_distribution.cache_clear()
    installed.read_environment()


if __name__ == "__main__":
    with TemporaryDirectory() as folder:
        main(Path(folder))
