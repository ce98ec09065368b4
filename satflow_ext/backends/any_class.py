"""Any cluster class as a back end: named as `module:Class`, and told by keyword arguments what it is to make."""

from __future__ import annotations

import re

from satflow_ext.backends.base import BackEnd

CLASS_PATH = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*", re.ASCII)
"""`package.module:Class`."""

OWNED = {"n_workers": "n_workers", "asynchronous": "", "loop": ""}


def of_class(path: str) -> BackEnd:
    """The back end that is this class. How big a Dask worker is, each class has words of its own for."""
    return BackEnd(name=path, cluster_class=path, owned=OWNED, sizes=False)
