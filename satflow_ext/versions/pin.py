"""The pin: the reference from a deployment in Prefect to its flow content, in its only pull step.

It has a store's name and a manifest's digest, nothing else. The worker's settings map the name to an address and a credential.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

PULL_STEP = "satflow_ext.runtime.pull"
"""The pull step: `satflow_ext.runtime` exports a function of that name."""

RECREATE_MODULE = "satflow_ext.environments.engine_start"
"""The module that starts a run in an environment that was built for it."""

ENTRYPOINT = "satflow_flow.py:flow"
"""The loader that the pull step writes."""


@dataclass(frozen=True)
class Pin:
    """The location of a deployment's manifest: the name of a store, and a digest."""

    store: str
    manifest: str

    def pull_steps(self) -> list[dict[str, Any]]:
        """Return the pull steps of a deployment with this pin."""
        return [{PULL_STEP: {"store": self.store, "manifest": self.manifest}}]


class PulledDeployment(Protocol):
    """A deployment as our Prefect client or Prefect's own returns it."""

    @property
    def pull_steps(self) -> list[dict[str, Any]] | None:
        """The steps before each run."""


def pin_of(deployment: PulledDeployment) -> Pin | None:
    """Return the pin of a deployment, or None if SatFlow did not create it."""
    for step in deployment.pull_steps or []:
        inputs = step.get(PULL_STEP)
        if isinstance(inputs, Mapping) and {"store", "manifest"} <= inputs.keys():
            return Pin(store=str(inputs["store"]), manifest=str(inputs["manifest"]))
    return None
