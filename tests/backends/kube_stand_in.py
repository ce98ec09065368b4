"""A stand-in for Kubernetes and the Dask operator: answers what `KubeCluster` asks, and starts as processes what it asks for.

It knows no more of Kubernetes' API than that. Pods are the containers that the operator's own code makes of a manifest, with
their command started on this machine.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from dask_kubernetes.operator.controller.controller import (
    build_scheduler_deployment_spec,
    build_worker_deployment_spec,
)

PATH = re.compile(r"/apis?/(?:[\w.]+/)?v1/namespaces/(?P<namespace>[\w-]+)/(?P<kind>\w+)(?:/(?P<name>[\w.-]+))?$")
NAMESPACE = "night"
MISSING = {"message": "not found"}


class StandIn:
    """What there is: objects by kind and name, and a process for each pod that was started."""

    def __init__(self, ports: dict[str, int]) -> None:
        self.objects: dict[tuple[str, str], dict[str, Any]] = {}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._ports = ports

    def create(self, kind: str, made: dict[str, Any]) -> dict[str, Any]:
        self.objects[kind, made["metadata"]["name"]] = made
        made["metadata"] |= {"namespace": NAMESPACE, "resourceVersion": "1"}
        if kind == "daskclusters":
            self._start_cluster(made)
        return made

    def change(self, kind: str, name: str, change: dict[str, Any]) -> dict[str, Any]:
        found = self.objects[kind, name]
        replicas = change["spec"]["worker"]["replicas"]
        found["spec"]["worker"]["replicas"] = replicas
        self._scale(found["spec"]["cluster"], found["spec"]["worker"]["spec"], replicas)
        return found

    def delete(self, kind: str, name: str) -> None:
        del self.objects[kind, name]
        if kind == "daskclusters":
            self.end()

    def end(self) -> None:
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            process.wait(timeout=30)
        self.processes.clear()
        self.objects.clear()

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        return [each for (known, _), each in self.objects.items() if known == kind]

    def put_pending(self, cluster: str, message: str) -> None:
        """A pod for which there is no room."""
        waits = {"type": "PodScheduled", "status": "False", "message": message}
        status = {"phase": "Pending", "conditions": [waits]}
        self._put("pods", "waiting", {"status": status, "spec": {}}, {"dask.org/cluster-name": cluster})

    def _start_cluster(self, made: dict[str, Any]) -> None:
        name, spec = made["metadata"]["name"], made["spec"]
        made["status"] = {"phase": "Running"}
        deployment = build_scheduler_deployment_spec(name, spec["scheduler"]["spec"], {}, {})
        here = [
            "--port",
            str(self._ports["tcp-comm"]),
            "--dashboard-address",
            f"127.0.0.1:{self._ports['http-dashboard']}",
        ]
        self._run(deployment, here)
        service = json.loads(json.dumps(spec["scheduler"]["service"]))
        for port in service["ports"]:
            port["port"] = self._ports[port["name"]]
        self._put(
            "services",
            f"{name}-scheduler",
            {"spec": service, "status": {"loadBalancer": {"ingress": [{"ip": "127.0.0.1"}]}}},
        )
        group = {"spec": {"cluster": name, "worker": spec["worker"]}}
        self._put("daskworkergroups", f"{name}-default", group)
        self._scale(name, spec["worker"]["spec"], spec["worker"]["replicas"])

    def _scale(self, cluster: str, pod: dict[str, Any], replicas: int) -> None:
        for number in range(replicas):
            worker = build_worker_deployment_spec(f"{cluster}-default", NAMESPACE, cluster, str(number), pod, {}, {})
            if worker["metadata"]["name"] not in self.processes:
                self._run(worker, [])

    def _run(self, deployment: dict[str, Any], more: list[str]) -> None:
        name, container = deployment["metadata"]["name"], deployment["spec"]["template"]["spec"]["containers"][0]
        env = {each["name"]: each["value"] for each in container["env"]}
        if "DASK_SCHEDULER_ADDRESS" in env:
            env["DASK_SCHEDULER_ADDRESS"] = f"tcp://127.0.0.1:{self._ports['tcp-comm']}"
        words = [{"0.0.0.0": "127.0.0.1", "$(DASK_WORKER_NAME)": name}.get(word, word) for word in container["args"]]
        command = [str(Path(sys.executable).with_name(words[0])), *words[1:], *more]
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.processes[name] = subprocess.Popen(command, env={**os.environ, **env}, **quiet)
        ready = {
            "phase": "Running",
            "conditions": [{"type": each, "status": "True"} for each in ("Ready", "ContainersReady")],
        }
        self._put("pods", name, {"status": ready, "spec": {}}, deployment["metadata"]["labels"])

    def _put(self, kind: str, name: str, made: dict[str, Any], labels: dict[str, str] | None = None) -> None:
        metadata = {"name": name, "namespace": NAMESPACE, "labels": labels or {}, "resourceVersion": "1"}
        self.objects[kind, name] = {"metadata": metadata, **made}

    def found(self, kind: str, query: dict[str, list[str]]) -> list[dict[str, Any]]:
        wanted = dict(each.split("=", 1) for each in query.get("labelSelector", [""])[0].split(",") if each)
        names = dict(each.split("=", 1) for each in query.get("fieldSelector", [""])[0].split(",") if each)
        return [
            each
            for (known, name), each in self.objects.items()
            if known == kind
            and names.get("metadata.name", name) == name
            and wanted.items() <= each["metadata"].get("labels", {}).items()
        ]


class Handler(BaseHTTPRequestHandler):
    stand_in: StandIn
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        if address.path.rstrip("/") == "/version":
            self._reply({"major": "1", "minor": "33", "gitVersion": "v1.33.1"})
        elif (at := PATH.match(address.path.rstrip("/"))) is None:
            self._reply(MISSING, 404)
        elif at["name"] is None:
            self._reply(
                {
                    "kind": "List",
                    "metadata": {"resourceVersion": "1"},
                    "items": self.stand_in.found(at["kind"], parse_qs(address.query)),
                }
            )
        else:
            one = self.stand_in.objects.get((at["kind"], at["name"]))
            self._reply(one or MISSING, 200 if one else 404)

    def do_POST(self) -> None:
        body, at = self._body(), self._at()
        self._reply(self.stand_in.create(at["kind"], body) if at else MISSING, 201 if at else 404)

    def do_PATCH(self) -> None:
        body, at = self._body(), self._at()
        known = at and (at["kind"], at["name"]) in self.stand_in.objects
        self._reply(
            self.stand_in.change(at["kind"], at["name"], body) if at and known else MISSING, 200 if known else 404
        )

    def do_DELETE(self) -> None:
        self._body()
        at = self._at()
        known = at and (at["kind"], at["name"]) in self.stand_in.objects
        if at and known:
            self.stand_in.delete(at["kind"], at["name"])
        self._reply({} if known else MISSING, 200 if known else 404)

    def _at(self) -> re.Match[str] | None:
        return PATH.match(urlsplit(self.path).path.rstrip("/"))

    def log_message(self, *words: object) -> None:
        """Say nothing."""

    def _body(self) -> Any:
        return json.loads(self.rfile.read(int(self.headers.get("content-length", 0))) or b"null")

    def _reply(self, body: Any, status: int = 200) -> None:
        document = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(document)))
        self.end_headers()
        self.wfile.write(document)


@contextmanager
def standing_in(ports: dict[str, int], kubeconfig: Path) -> Iterator[StandIn]:
    """A stand-in that listens on loopback, with a kubeconfig that names it."""
    stand_in = StandIn(ports)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"stand_in": stand_in}))
    kubeconfig.write_text(json.dumps(_config(f"http://127.0.0.1:{server.server_port}")))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield stand_in
    finally:
        server.shutdown()
        stand_in.end()


def _config(url: str) -> Any:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": url}}],
        "users": [{"name": "u", "user": {}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u", "namespace": NAMESPACE}}],
        "current-context": "x",
    }
