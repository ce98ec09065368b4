"""Loading of a flow from its content in the process of its run: verify, provide the secrets, unpickle, set the task runner."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, cast

import cloudpickle

from satflow_ext import cell_lines, executors, keys, main_module
from satflow_ext.credentials import redacting_filter
from satflow_ext.environments import build, engine_start, installed, locked_packages
from satflow_ext.environments.locked_packages import Comparison, compare_environments
from satflow_ext.errors import ContentRefused, EnvironmentDiffers, EnvironmentNotBuilt, SecretsMissing
from satflow_ext.fork_requests import child_process
from satflow_ext.fork_requests.preloaded_packages import packages_folder, record_used_packages
from satflow_ext.keys import TrustedKeys
from satflow_ext.models import ExecutorChoice
from satflow_ext.redaction import guard
from satflow_ext.redaction.encodable import make_messages_encodable
from satflow_ext.run_logs.capture import capture_logs
from satflow_ext.run_logs.failed_inputs import record_failed_inputs
from satflow_ext.runtime import from_git, loader, this_run
from satflow_ext.runtime.fetch import check_content
from satflow_ext.runtime.quick_engine import speed_up_engine
from satflow_ext.runtime.run_end import explain_memory_errors, store_at_end
from satflow_ext.runtime.this_run import RUN_ID, is_hook_process
from satflow_ext.settings import Settings, load_settings
from satflow_ext.versions import manifest as manifests
from satflow_ext.versions import packing_environment
from satflow_ext.versions.envelope import OpenedContent
from satflow_ext.versions.manifest import Manifest

if TYPE_CHECKING:
    from prefect import Flow
    from prefect.task_runners import TaskRunner

RUN_FOLDER = "SATFLOW_RUN_FOLDER"
"""Environment variable with the folder for files that a flow unpacks; it is removed even after a killed run.

`kernel.carried` reads it.
"""

MAX_SECRET_BYTES = 64 * 1024
"""Maximum bytes of a secret. Linux limits an environment variable to 128 KiB."""


def load_pulled_flow(folder: Path) -> Flow[..., Any]:
    """Load the flow whose manifest and content the pull step put into a folder.

    Raises:
        ContentRefused: the manifest or the content is invalid; nothing was unpickled.
        PythonMismatch: another Python version packed it; it was not unpickled.
        PackageMismatch: an incompatible version of a package packed it; it was not unpickled.
        EnvironmentDiffers: packages differ, and the registration's policy is to refuse that.
        SecretsMissing: credentials that the flow needs were not found.
        EnvironmentNotBuilt: the environment was to be recreated, and that failed.
        KeysRefused: the files of the trusted keys are invalid.
    """
    os.environ[RUN_FOLDER] = str(folder)
    guard.start_redaction()
    settings = load_settings()
    capture_logs()
    make_messages_encodable()
    speed_up_engine()
    trusted = keys.read_trusted_keys(settings)
    manifest = _read_manifest(folder, trusted)
    if not is_hook_process():  # the run has passed this check, which may not return
        check_environment(manifest, folder, settings)
    opened = _open_content(folder, manifest, trusted)
    provide_secrets(manifest.secrets, settings)
    # The content is not needed any more, and a killed run cannot remove it.
    (folder / loader.CONTENT_FILE).unlink()
    cell_lines.register_cell_lines((cell.file, cell.text) for cell in manifest.source.cells)
    if is_hook_process():
        return _make_flow(manifest, opened, folder)
    record_failed_inputs()
    if child_process.has_templates():
        record_used_packages(manifest.uses, packages_folder(settings.state_dir))
    runner = executors.create_task_runner(
        manifest.executor, manifest.with_registered_sizes(settings)
    )  # before the imports of the flow: see `RAY`
    flow = _set_run_options(_make_flow(manifest, opened, folder), manifest)
    if runner is not None:
        flow = _set_runner(flow, _add_carried_files(runner, manifest, folder), manifest, settings)
    return store_at_end(explain_memory_errors(flow), manifest, folder, settings)


def _read_manifest(folder: Path, trusted: TrustedKeys) -> Manifest:
    """Read and verify the manifest. The pull step compared its digest with the one that the deployment pins."""
    document = (folder / loader.MANIFEST_FILE).read_bytes()
    return manifests.parse_verified_manifest(document, manifests.digest_of(document), trusted)


def _open_content(folder: Path, manifest: Manifest, trusted: TrustedKeys) -> OpenedContent:
    """Read and verify the content. Differences of packages were already reported."""
    return check_content(
        manifest, (folder / loader.CONTENT_FILE).read_bytes(), trusted, packing_environment.current_environment()
    )


def _make_flow(manifest: Manifest, opened: OpenedContent, folder: Path) -> Flow[..., Any]:
    if manifest.git:
        return from_git.import_flow(manifest.git, manifest.variable, folder)
    flow = unpickle_flow(opened.body)
    main_module.write_main_files(opened.body, folder)
    return flow


def _set_run_options(flow: Flow[..., Any], manifest: Manifest) -> Flow[..., Any]:
    """Replace those options of the flow's decorator that were chosen at the registration."""
    chosen = manifest.chosen
    options = {
        "retries": chosen.retries,
        "retry_delay_seconds": chosen.retry_delay,
        "timeout_seconds": chosen.timeout,
    }
    given: dict[str, Any] = {name: value for name, value in options.items() if value is not None}
    return flow.with_options(**given) if given else flow


def unpickle_flow(body: memoryview) -> Flow[..., Any]:
    """Unpickle the flow from verified bytes. This is the only place where a flow run unpickles something.

    Raises an auditing event `satflow.unpickle` with the number of bytes (`sys.addaudithook`).

    Raises:
        ContentRefused: it contains something other than a flow.
    """
    from prefect import Flow

    sys.audit("satflow.unpickle", len(body))
    flow = cloudpickle.loads(body)
    if not isinstance(flow, Flow):
        raise ContentRefused(f"The flow content contains a {type(flow).__name__}, not a flow.")
    return flow


def _set_runner(
    flow: Flow[..., Any], runner: TaskRunner[Any], manifest: Manifest, settings: Settings
) -> Flow[..., Any]:
    from satflow_ext.executors.flow_cluster import DeferredFailureMixin, fail_without_cluster

    run_id = os.environ.get(RUN_ID)
    if run_id and executors.find_executor(manifest.executor.name).uses_dask:
        runner = _monitor_runner(runner, manifest.executor, manifest.full_name, run_id, settings)
    flow = flow.with_options(task_runner=runner)
    return fail_without_cluster(flow) if isinstance(runner, DeferredFailureMixin) else flow


def _add_carried_files(runner: TaskRunner[Any], manifest: Manifest, folder: Path) -> TaskRunner[Any]:
    """Return the runner; if it has workers elsewhere, it will send them the files in the run's folder."""
    from satflow_ext.dask_tasks.run_files import RunFiles

    if hasattr(runner, "run_files"):
        modules = next(folder.glob("satflow-modules-*"), None)  # `kernel.carried` has put it there
        runner.run_files = RunFiles(folder, tuple(file.path for file in manifest.files), modules)
    return runner


def _monitor_runner(
    runner: TaskRunner[Any], choice: ExecutorChoice, deployment: str, run_id: str, settings: Settings
) -> TaskRunner[Any]:
    from prefect_dask.task_runners import DaskTaskRunner

    from satflow_ext.clusters.cluster_owner import ClusterOwner
    from satflow_ext.clusters.monitored_task_runner import MonitoredDaskTaskRunner, monitor_cluster
    from satflow_ext.executors.flow_cluster import DaskClientTaskRunner

    plan, size = choice.options.get("n_workers"), choice.options.get("worker_size")
    subject = ClusterOwner(
        run_id=run_id,
        deployment=deployment,
        executor=choice.name,
        plan=plan if isinstance(plan, int) else None,
        worker_size=size if isinstance(size, str) else None,
    )
    if isinstance(runner, DaskClientTaskRunner):
        return runner.with_monitor(lambda client: monitor_cluster(client, subject, settings))
    assert isinstance(runner, DaskTaskRunner)
    timeout = choice.options.get("start_timeout")
    given = {"start_timeout": timeout} if isinstance(timeout, int | float) else {}
    return MonitoredDaskTaskRunner.from_task_runner(runner, subject, settings, **given)


def provide_secrets(names: Iterable[str], settings: Settings) -> None:
    """Put the values into the environment of this flow run, and redact them in its log and states.

    Raises:
        SecretsMissing: some were not found.
    """
    found = find_secrets(names, settings)
    redacting_filter.provide_secrets(found)
    if short := redacting_filter.too_short_names(found):
        this_run.get_logger().warning(f"Too short to be hidden in this log: the value of {', '.join(short)}.")


def find_secrets(names: Iterable[str], settings: Settings) -> dict[str, str]:
    """Return the value of each secret from the first source that has it.

    Args:
        names: the registered names of the secrets.
        settings: contain the folder of mounted files.

    Raises:
        SecretsMissing: some were not found; the message lists their names and the sources.
    """
    places: tuple[Callable[[str], str | None], ...] = (
        lambda name: os.environ.get(name),
        lambda name: _read_secret_file(settings.secrets_dir / name),
        _read_secret_block,
    )
    looked = {name: next((value for place in places if (value := place(name))), None) for name in names}
    if missing := [name for name, value in looked.items() if value is None]:
        blocks = ", ".join(secret_block_name(name) for name in missing)
        raise SecretsMissing(
            f"This flow run needs {', '.join(missing)}, found neither in the environment of the flow run, "
            f"nor as a file in {settings.secrets_dir}, nor as a Prefect Secret block ({blocks}).",
            fix="Provide it to the Prefect worker in one of these ways, then run again.",
        )
    return {name: value for name, value in looked.items() if value is not None}


def secret_block_name(name: str) -> str:
    """Return the name of the Prefect Secret block for a secret: `AWS_KEY` → `aws-key`, the characters that Prefect allows."""
    return name.lower().replace("_", "-").strip("-")


def _read_secret_file(file: Path) -> str | None:
    """Read a mounted file without the line end that editors add."""
    try:
        with file.open("rb") as opened:
            data = opened.read(MAX_SECRET_BYTES + 1)
    except OSError:
        return None
    if len(data) > MAX_SECRET_BYTES or b"\0" in data:
        raise SecretsMissing(
            f"{file} cannot be used as a secret: it is larger than {MAX_SECRET_BYTES} bytes, or binary.",
            fix="Store it as text.",
        )
    return data.decode("utf-8", "surrogateescape").removesuffix("\n").removesuffix("\r")


def _read_secret_block(name: str) -> str | None:
    import httpx
    from prefect.blocks.system import Secret

    try:
        block = cast("Secret[str]", Secret.load(secret_block_name(name), _sync=True))  # type: ignore[call-arg]  # Prefect adds it
    except (ValueError, httpx.HTTPError):  # no block of that name, or the API does not return it
        return None
    value = block.value.get_secret_value()
    return value if isinstance(value, str) else json.dumps(value)


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
    rebuilt = build.environment_path(locked_packages.lock_digest(lock), settings)
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
