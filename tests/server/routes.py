"""The routes of the Jupyter server, and the permission that each needs."""

from __future__ import annotations

ID = "00000000-0000-4000-8000-000000000000"

GOLDEN = {
    ("GET", f"kernels/{ID}/flows"): ("execute", "satflow_ext:flows"),
    ("GET", "catalogue"): ("read", "satflow_ext:deployments"),
    ("POST", "schedules/preview"): ("read", "satflow_ext:deployments"),
    ("POST", "notifications/test"): ("write", "satflow_ext:deployments"),
    ("GET", "deployments"): ("read", "satflow_ext:deployments"),
    ("POST", "preflight"): ("execute", "satflow_ext:flows"),
    ("POST", "cluster-classes"): ("execute", "satflow_ext:flows"),
    ("POST", "deployments"): ("write", "satflow_ext:deployments"),
    ("PATCH", f"deployments/{ID}"): ("write", "satflow_ext:deployments"),
    ("DELETE", f"deployments/{ID}"): ("write", "satflow_ext:deployments"),
    ("GET", f"deployments/{ID}/versions"): ("read", "satflow_ext:deployments"),
    ("GET", f"deployments/{ID}/versions/{ID}"): ("read", "satflow_ext:deployments"),
    ("GET", f"deployments/{ID}/versions/{ID}/diff/{ID}"): ("read", "satflow_ext:deployments"),
    ("POST", f"deployments/{ID}/rollback"): ("write", "satflow_ext:deployments"),
    ("GET", f"deployments/{ID}/cluster"): ("read", "satflow_ext:clusters"),
    ("POST", f"deployments/{ID}/cluster"): ("execute", "satflow_ext:clusters"),
    ("DELETE", f"deployments/{ID}/cluster"): ("execute", "satflow_ext:clusters"),
    ("GET", "runs"): ("read", "satflow_ext:runs"),
    ("POST", "runs"): ("execute", "satflow_ext:runs"),
    ("POST", "runs/recent"): ("read", "satflow_ext:runs"),
    ("POST", "runs/changes"): ("execute", "satflow_ext:runs"),
    ("GET", f"runs/{ID}"): ("read", "satflow_ext:runs"),
    ("POST", f"runs/{ID}/cancel"): ("execute", "satflow_ext:runs"),
    ("POST", f"runs/{ID}/retry"): ("execute", "satflow_ext:runs"),
    ("POST", f"runs/{ID}/debug"): ("execute", "satflow_ext:flows"),
    ("GET", f"runs/{ID}/log"): ("read", "satflow_ext:runs"),
    ("GET", "run-groups"): ("read", "satflow_ext:runs"),
    ("POST", "run-groups"): ("execute", "satflow_ext:runs"),
    ("POST", "run-groups/plan"): ("read", "satflow_ext:runs"),
    ("GET", f"run-groups/{ID}"): ("read", "satflow_ext:runs"),
    ("POST", f"run-groups/{ID}/retry"): ("execute", "satflow_ext:runs"),
    ("POST", f"run-groups/{ID}/cancel"): ("execute", "satflow_ext:runs"),
    ("GET", f"runs/{ID}/version"): ("read", "satflow_ext:runs"),
    ("GET", f"runs/{ID}/result"): ("read", "satflow_ext:runs"),
    ("GET", f"runs/{ID}/tasks"): ("read", "satflow_ext:runs"),
    ("GET", f"runs/{ID}/tasks/{ID}"): ("read", "satflow_ext:runs"),
    ("GET", "clusters"): ("read", "satflow_ext:clusters"),
    ("GET", "stack"): ("read", "satflow_ext:stack"),
    ("POST", "stack"): ("execute", "satflow_ext:stack"),
    ("GET", "stream"): ("read", "satflow_ext:runs"),
}
"""What each verb asks the authorizer. A new route belongs here, or the test says so."""
