"""A cluster of the back end kubernetes: the real `KubeCluster`, on a stand-in. Run by the interpreter that has it."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from distributed import Client

from satflow_ext.cluster_providers.kubernetes import find_missing_workers
from satflow_ext.cluster_providers.run_cluster import start_run_cluster
from tests.backends.kube_stand_in import standing_in

question = json.load(sys.stdin)
kubeconfig = Path(question["folder"]) / "kubeconfig"
os.environ["KUBECONFIG"] = str(kubeconfig)
with standing_in(question["ports"], kubeconfig) as stand_in:
    with start_run_cluster(request=question["asked"]) as cluster, Client(cluster) as client:
        client.wait_for_workers(question["asked"]["workers"], timeout=60)
        (made,) = stand_in.of_kind("daskclusters")
        told = {"made": made, "sum": client.submit(sum, [1, 2]).result(timeout=60), "pods": sorted(stand_in.processes)}
        stand_in.put_pending(made["metadata"]["name"], question["pending"])
        told["why"] = find_missing_workers(cluster).reason
        cluster.adapt(minimum=0, maximum=5)
        told["autoscalers"] = stand_in.of_kind("daskautoscalers")
    told["left"] = [list(each) for each in stand_in.objects] + sorted(stand_in.processes)
sys.stdout.write(f"\n{json.dumps(told)}\n")
