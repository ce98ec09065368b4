"""What speaks against writing a deployment: somebody else made it, or has changed or deleted it in Prefect since we wrote it.

None of it stops who says `overwrite`.
"""

from __future__ import annotations

from typing import NoReturn

from satflow_ext.errors import DeploymentDrifted, DeploymentTaken, RegisteredElsewhere
from satflow_ext.models import Change
from satflow_ext.registration.deployment_pin import pin_of
from satflow_ext.registration.manifest import Manifest
from satflow_ext.registration.recovery import Healed

OVERWRITE = "Register with overwrite (--overwrite, overwrite=True) if that is to go, or under another name."
SAID = {
    "deleted": "{name} was deleted in Prefect after version {number} was registered.",
    "gone": "{name} is not in Prefect any more: somebody has deleted version {number}, or Prefect has lost it.",
    "changed": "{name} does not run version {number}, which was registered, any more: somebody has changed it in Prefect.",
}


def check_ours(healed: Healed, full_name: str) -> None:
    """Refuse a deployment that is not as we left it.

    Raises:
        DeploymentDrifted: somebody has deleted it, or made it run something else.
        DeploymentTaken: somebody else than SatFlow made it.
    """
    said = said_of(healed, full_name)
    if said is not None:
        raise DeploymentDrifted(said, fix=OVERWRITE, field="name")
    if healed.row is not None and pin_of(healed.row) is None:
        raise DeploymentTaken(
            f"There is a deployment {full_name} that SatFlow did not make.",
            fix="Choose another name, or register with overwrite.",
            field="name",
        )


def said_of(healed: Healed, full_name: str) -> str | None:
    """What somebody has done to a deployment that we wrote, None where it is as we left it."""
    if healed.written is None or healed.verdict not in SAID:
        return None
    return SAID[healed.verdict].format(name=full_name, number=healed.written.version)


def refuse_other_notebook(known: Manifest | None, full_name: str) -> NoReturn:
    """Refuse to make the next version of a deployment that another notebook registered.

    Args:
        known: the manifest of the deployment's version, None where it cannot be read.
        full_name: `flow/deployment`.

    Raises:
        RegisteredElsewhere: always.
    """
    origin = known.source.notebook if known else None
    version = f" (version {known.version})" if known else ""
    raise RegisteredElsewhere(
        f"The deployment {full_name}{version} was registered from {origin or 'an unknown notebook'}.",
        fix="Choose another name, or overwrite it: its next runs then use this flow and these choices.",
        field="name",
    )


def check_conflicts(contested: tuple[Change, ...], full_name: str) -> None:
    """Refuse to take silently the place of what somebody has changed in Prefect.

    Args:
        contested: what was chosen anew and somebody has changed as well, to something else; and what leads elsewhere.
        full_name: `flow/deployment`.

    Raises:
        DeploymentDrifted: there is something of the kind.
    """
    if contested:
        told = "; ".join(f"{each.name}: {each.before} → {each.after}" for each in contested)
        raise DeploymentDrifted(
            f"Somebody has changed in Prefect what you are about to change in {full_name}: {told}.",
            fix="Choose what is there, or register with overwrite (--overwrite, overwrite=True) to have it as you chose.",
        )
