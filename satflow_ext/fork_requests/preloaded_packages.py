"""Packages that flow runs of this machine use, and that templates import for them.

A flow run records the packages that its flow refers to. Templates import those that were used recently before they fork, so that
a flow run with pandas need not import it, which takes a second, and more with larger packages. Only packages in `PRELOADABLE`
count. Each of them can be imported before a fork: it starts no thread that outlives one, opens no connection, and reads nothing
from the folder of the run.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

DAY = 24 * 60 * 60
RECENT = 30 * DAY
"""Seconds in which a flow run must have used something, so that templates are made for it."""


class Preloadable(NamedTuple):
    """The imports of a distribution before a fork.

    Args:
        modules: what flows usually import of it.
        variables: beginnings of the names of environment variables that it reads when it is imported.
    """

    modules: tuple[str, ...]
    variables: tuple[str, ...]


NUMERICS = ("OMP_", "GOMP_", "KMP_", "OPENBLAS_", "GOTO_", "MKL_", "BLIS_", "VECLIB_", "NPY_", "NUMPY_")
"""Variables of NumPy and its libraries."""

PRELOADABLE = {
    "numpy": Preloadable(("numpy",), NUMERICS),
    "pyarrow": Preloadable(("pyarrow",), ("ARROW_", "JE_ARROW_", "MIMALLOC_")),
    "pandas": Preloadable(("pandas",), ("PANDAS_",)),
    "scipy": Preloadable(("scipy.optimize", "scipy.sparse", "scipy.stats"), ("SCIPY_",)),
    "scikit-learn": Preloadable(("sklearn",), ("SKLEARN_", "JOBLIB_")),
    "xarray": Preloadable(("xarray",), ("XARRAY_",)),
    "requests": Preloadable(("requests",), ()),
    "boto3": Preloadable(("boto3",), ("BOTO", "AWS_")),
}
"""The packages, by distribution, in the order in which they are imported.

Measured with their releases of November 2026, and one fork after the import, which ends the threads of OpenBLAS by its own fork
handler: no thread and no socket remains. Not here: Polars keeps four threads, Matplotlib reads `matplotlibrc` from the folder of
the run, and PyTorch occupies 600 MB.
"""

BEFORE_IMPORT = {"JE_ARROW_MALLOC_CONF": "background_thread:false"}
"""Variables of a template before its imports: the library of pyarrow starts a thread as soon as it is loaded."""


def packages_folder(state_dir: Path) -> Path:
    """Return the path of the folder that has an empty file for each used package. It changes when the set of packages does."""
    return state_dir / "run-packages"


def record_used_packages(names: Iterable[str], folder: Path) -> None:
    """Record that a flow run uses packages.

    Args:
        names: distributions that the flow refers to.
        folder: see `packages_folder`.
    """
    with suppress(OSError):  # later runs import them themselves
        for name in PRELOADABLE.keys() & set(names):
            if not is_younger(folder / name, DAY):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                (folder / name).touch(mode=0o600)


def read_used_packages(folder: Path) -> Iterator[str]:
    """Yield the names of the packages that flow runs of this machine used recently."""
    return (name for name in PRELOADABLE if is_younger(folder / name, RECENT))


def is_younger(file: Path, seconds: float) -> bool:
    """Return whether a file exists and was written in these last seconds."""
    try:
        return time.time() - file.stat().st_mtime < seconds
    except OSError:
        return False
