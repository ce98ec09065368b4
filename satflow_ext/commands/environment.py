"""`satflow environment DEPLOYMENT`: show the packages that a deployment was registered with, or write files to install them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from satflow_ext.commands import interrupts
from satflow_ext.commands.argument_words import refuse_extra_arguments
from satflow_ext.commands.command_endpoints import connect
from satflow_ext.deployments import queries
from satflow_ext.endpoints import Endpoints
from satflow_ext.environments import locked_packages
from satflow_ext.errors import ContentMissing
from satflow_ext.keys import TrustedKeys, read_trusted_keys
from satflow_ext.prefect_api import prefect_client
from satflow_ext.prefect_names import read_deployment
from satflow_ext.settings import load_settings
from satflow_ext.versions import manifest_store
from satflow_ext.versions.manifest import Manifest
from satflow_ext.versions.pin import pin_of


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's flags."""
    parser.add_argument("deployment", help="flow/deployment, the deployment's name, or its id")
    form = parser.add_mutually_exclusive_group()
    form.add_argument(
        "--requirements", action="store_true", help="print a requirements file, for pip install --no-deps"
    )
    form.add_argument("--containerfile", action="store_true", help="print a Containerfile that installs that file")


def run(args: argparse.Namespace, rest: Sequence[str]) -> int:
    """Print the environment in the requested form."""
    refuse_extra_arguments(rest, "environment")
    settings = load_settings()
    with connect(settings) as connection:
        manifest = interrupts.run(_read_manifest(connection.resolved, args.deployment, read_trusted_keys(settings)))
    lock = manifest.environment
    if args.containerfile:
        print(locked_packages.containerfile_text(lock), end="")
    elif args.requirements:
        print(locked_packages.requirements_text(lock), end="")
    else:
        print(format_environment(manifest))
    for each in locked_packages.find_unobtainable(lock):
        print(
            f"satflow: {each.name} {each.version} was installed from a folder or file, and is not available from an index.",
            file=sys.stderr,
        )
    return 0


def format_environment(manifest: Manifest) -> str:
    """Format the interpreter, the packages that the flow refers to, and the number of other packages."""
    lock = manifest.environment
    used = [f"  {each.name} {each.version}" for each in lock.distributions if each.name in manifest.uses]
    head = f"{manifest.full_name} version {manifest.version}, {manifest.environment_policy}: {lock.implementation} {lock.python}"
    rest = f"  and {len(lock.distributions) - len(used)} others that the flow does not refer to"
    return "\n".join([head, *used, rest])


async def _read_manifest(endpoints: Endpoints, name: str, trusted_keys: TrustedKeys) -> Manifest:
    deployment = await queries.find_deployment(endpoints, name)
    async with prefect_client(endpoints.prefect) as client:
        row = await read_deployment(client, f"{deployment.flow_name}/{deployment.name}")
    pin = pin_of(row) if row else None
    if pin is None or pin.store != endpoints.store.name:
        raise ContentMissing(
            f"The manifest of {deployment.flow_name}/{deployment.name} is not in the store {endpoints.store.name!r}.",
            fix="Set SATFLOW_STORE to the store that it was registered with.",
        )
    # The listed packages decide what code runs, so the manifest must be signed by a trusted key.
    return await manifest_store.read_verified_manifest(endpoints.store, pin.manifest, trusted_keys)
