"""A process that has a cluster and is killed: `python victim.py ASKED` says when there is a Dask worker."""

from __future__ import annotations

import json
import sys
import time

from satflow_ext.cluster_providers.run_cluster import start_run_cluster

if __name__ == "__main__":
    with start_run_cluster(request=json.loads(sys.argv[1])):
        print("has a Dask worker", flush=True)  # noqa: T201
        time.sleep(600)
