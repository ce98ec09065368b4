"""Any cluster class as a cluster provider, named as `module:Class` and configured by its keyword arguments."""

from __future__ import annotations

import re

from satflow_ext.cluster_providers.provider import ClusterProvider

CLASS_PATH = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*", re.ASCII)
"""`package.module:Class`."""

OWNED_ARGUMENTS = {"n_workers": "n_workers", "asynchronous": "", "loop": ""}


def provider_of_class(path: str) -> ClusterProvider:
    """Build a cluster provider for this class. It has no worker sizes: each class has its own arguments for them."""
    return ClusterProvider(name=path, cluster_class=path, owned_arguments=OWNED_ARGUMENTS, has_sizes=False)
