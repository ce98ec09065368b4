"""The packages of a flow run: compared with those of the registration, and rebuilt if the policy is to recreate them."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path
from typing import NoReturn

from satflow_ext import executors
from satflow_ext.environments import build, engine_start, installed, requirements
from satflow_ext.environments.comparison import Comparison, compare_environments
from satflow_ext.errors import EnvironmentDiffers, EnvironmentNotBuilt
from satflow_ext.runtime import loader, this_run
from satflow_ext.settings import Settings
from satflow_ext.versions.manifest import Manifest


def check_environment(manifest: Manifest, folder: Path, settings: Settings) -> None:
    """Compare the packages and apply the registration's policy. May not return: then the run continues in another interpreter.

    Args:
        manifest: the manifest of the running version.
        folder: contains the loader.
        settings: contain the folder of environments.

    Raises:
        EnvironmentDiffers: the policy is to refuse, and packages that the flow refers to differ.
        CannotRecreate: the policy is to recreate, which is not possible.
        EnvironmentNotBuilt: the policy is to recreate, which failed.
    """
    found = _compare_packages(manifest)
    if manifest.environment_policy == "recreate" and not _matches_lock(manifest, found, settings):
        _continue_in(build.build_environment(manifest.environment, settings, this_run.get_logger().info), folder)
    if manifest.environment_policy == "refuse":
        _refuse_differences(manifest, found)
    _log_differences(found)


def _compare_packages(manifest: Manifest) -> Comparison:
    lock = manifest.environment
    return compare_environments(lock, platform.python_version(), installed.read_versions(), _used_packages(manifest))


def _used_packages(manifest: Manifest) -> frozenset[str]:
    """Return the packages that the flow or its executor refers to."""
    return frozenset(manifest.uses) | executors.find_executor(manifest.executor.name).packages


def _matches_lock(manifest: Manifest, found: Comparison, settings: Settings) -> bool:
    """Return whether this interpreter is the rebuilt one, or has exactly the packages of the lock."""
    lock = manifest.environment
    rebuilt = build.environment_path(requirements.lock_digest(lock), settings)
    if Path(sys.prefix).resolve() == rebuilt.resolve():
        return True
    if os.environ.get("VIRTUAL_ENV") == str(rebuilt):
        raise EnvironmentNotBuilt(
            f"{rebuilt} is not a valid virtual environment.", fix="Delete that folder, then run again."
        )
    return found.compatibility == "same" and installed.read_environment().distributions == lock.distributions


def _refuse_differences(manifest: Manifest, found: Comparison) -> None:
    fix = "Install these packages for the Prefect worker, or register again with environment='recreate' or from its environment."
    if found.compatibility == "different":
        raise EnvironmentDiffers(
            f"This flow run's packages are not those that the flow was registered with.\n{found.to_text()}\n", fix=fix
        )
    if changed := _changed_packages(manifest):
        raise EnvironmentDiffers(
            f"These packages have the version that the flow was registered with, but other files: {', '.join(changed)}.",
            fix=fix,
        )


def _changed_packages(manifest: Manifest) -> list[str]:
    """Return used packages with the same version but other files. Editable packages have no files to compare."""
    used = _used_packages(manifest)
    present = installed.find_distributions(used)
    pairs = [(each, present[each.name]) for each in manifest.environment.distributions if each.name in present]
    return [
        then.name
        for then, now in pairs
        if then.version == now.version and then.files != now.files and not (then.origin or now.origin)
    ]


def _log_differences(found: Comparison) -> None:
    """Write the differences to the run's own log, as a warning if they may affect the flow."""
    if found.compatibility == "different":
        fix = "Register again from an environment like this one, or with environment='recreate'."
        this_run.get_logger().warning(
            f"This flow run's packages are not those that the flow was registered with.\n{found.to_text()}\n{fix}"
        )
    elif found.compatibility == "compatible":
        this_run.get_logger().info(
            f"Some packages here differ slightly from those that the flow was registered with.\n{found.to_text()}"
        )


def _continue_in(environment: Path, folder: Path) -> NoReturn:
    """Replace this process by Prefect's engine under the environment's interpreter, with the same loader."""
    this_run.flush_log()
    os.chdir(folder)
    engine_start.become_engine(
        str(environment), {**_control_channel(), this_run.ENTRYPOINT: f"{folder / loader.LOADER_FILE}:flow"}
    )


def _control_channel() -> dict[str, str]:
    """Return the variables that Prefect's engine removed from its environment: the channel for the worker's cancellations."""
    from prefect._internal import control_listener

    port = getattr(control_listener, "_configured_port", None)
    token = getattr(control_listener, "_configured_token", None)
    return {"PREFECT__CONTROL_PORT": str(port), "PREFECT__CONTROL_TOKEN": str(token)} if port and token else {}
