"""`%load_flow NAME[@version]` and `satflow_ext.load_flow`: load a registered version into a notebook.

This is the only place besides a flow run that unpickles data from a store, and it happens after the same checks: size, digest,
signature by a trusted key, deployment and version, Python (docs/decisions/0009).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from satflow_ext import cell_lines, setup_cells
from satflow_ext.errors import BadRequest, ContentRefused, VariableTaken
from satflow_ext.kernel.fingerprint import compute_fingerprint
from satflow_ext.kernel.flow_discovery import AnyFlow, is_flow
from satflow_ext.kernel.kernel_session import get_shell, namespace_of, open_session, run_coroutine
from satflow_ext.kernel.setup_cell_recorder import recorder_of
from satflow_ext.kernel.source import add_loaded_cells
from satflow_ext.settings import load_settings
from satflow_ext.setup_cells import SetupCell
from satflow_ext.versions.manifest import Manifest

if TYPE_CHECKING:
    from satflow_ext.session import Session
    from satflow_ext.versions.content_download import CheckedVersion


@dataclass(frozen=True)
class LoadedFlow:
    """The flow of a version, its variable in the notebook, and its manifest."""

    flow: AnyFlow
    variable: str
    manifest: Manifest

    def __repr__(self) -> str:
        found = self.manifest
        return f"{self.variable}: {found.full_name} version {found.version}, registered {found.registered_at:%d %b %Y %H:%M %Z}"


def load_flow(name: str, *, as_name: str | None = None) -> AnyFlow:
    """Load a registered flow into this notebook, under its original variable name.

    Args:
        name: `flow/deployment`, the deployment's name or its id; `name@2` for version 2 (default: the live version).
        as_name: another variable name.

    Raises:
        DeploymentNotFound: no such deployment exists.
        VersionNotFound: the deployment has no such version.
        NotTrusted: the key that signed the version is not trusted here; nothing was unpickled.
        PythonMismatch: another version of Python packed the flow; nothing was unpickled.
        VariableTaken: the notebook already uses this name for another value; nothing was changed.
    """
    return load_with_manifest(name, as_name).flow


def load_with_manifest(name: str, as_name: str | None = None) -> LoadedFlow:
    """Load a registered flow as `load_flow` does, and return it with its variable and manifest."""
    brought = run_coroutine(_download_version(name, open_session(load_settings())))
    manifest = brought.manifest
    variable = as_name or manifest.variable
    if not variable.isidentifier():
        raise BadRequest(f"{variable!r} is not a valid variable name.", fix="Choose another name with --as NAME.")
    namespace = namespace_of(get_shell())
    _check_variable_free(namespace, variable, manifest)
    namespace[variable] = flow = load_version(brought)
    return LoadedFlow(flow, variable, manifest)


def load_version(version: CheckedVersion) -> AnyFlow:
    """Unpickle the flow of a verified version, after its setup cells were checked. It is put into no variable.

    Raises:
        VariableTaken: its setup cells define names that the notebook already uses; nothing was changed.
        BadRequest: runs load the flow from a git repository.
        ContentRefused: the content is not a flow.
    """
    shell, manifest = get_shell(), version.manifest
    _check_setup_free(namespace_of(shell), manifest)
    cell_lines.register_cell_lines((cell.file, cell.text) for cell in manifest.source.cells)
    flow = _unpickle_flow(version)
    if shell is not None:
        recorder_of(shell).add_loaded(setup_cells.list_setup_cells())
    add_loaded_cells(manifest.source.cells)
    return flow


def cells_text(manifest: Manifest) -> str:
    """Return the cells of a version as the text of one new cell.

    Raises:
        BadRequest: the flow was not registered from cells.
    """
    source = manifest.source
    if not source.cells:
        files = ", ".join(file.path for file in source.files) or "elsewhere"
        raise BadRequest(f"{manifest.full_name} was not defined in cells, but in {files}.", fix="Remove --cells.")
    title = f"{manifest.full_name} version {manifest.version}"
    return "\n\n".join(f"# [{cell.number}] of {title}\n{cell.text}" for cell in source.cells)


async def _download_version(name: str, session: Session) -> CheckedVersion:
    deployment, number = split_version(name)
    found = await session.deployments.find_deployment(deployment)
    return await session.deployments.download_version(found.id, number)


def split_version(name: str) -> tuple[str, int | None]:
    """Split `name@2` into (`name`, 2); an @ that is not followed by a number belongs to the name."""
    deployment, _, number = name.rpartition("@")
    return (deployment, int(number)) if deployment and number.isascii() and number.isdigit() else (name, None)


def _check_variable_free(namespace: dict[str, object], variable: str, manifest: Manifest) -> None:
    """Refuse a variable that already has another value; the same flow is allowed."""
    if variable not in namespace:
        return
    value = namespace[variable]
    if is_flow(value) and compute_fingerprint(value) == manifest.fingerprint:
        return
    raise VariableTaken(
        f"This notebook already has another value in the variable {variable}: a {type(value).__qualname__}.",
        fix=f"Choose another name, such as --as {variable}_{manifest.version}, or delete the variable first.",
    )


def _check_setup_free(namespace: dict[str, object], manifest: Manifest) -> None:
    """Refuse setup cells that would overwrite names of this notebook. Cells that have already run here do not run again."""
    have_run = {cell.text.rstrip("\n") for cell in setup_cells.list_setup_cells()}
    new = [
        SetupCell(each.file, each.text) for each in manifest.source.cells if each.setup and each.text not in have_run
    ]
    taken = sorted({name for cell in new for name in setup_cells.list_defined_names(cell)} & namespace.keys())
    if taken:
        raise VariableTaken(
            f"The setup cells of {manifest.full_name} define {', '.join(taken)}, which this notebook has already defined.",
            fix="Delete or rename them first, or load the flow in another notebook.",
        )


def _unpickle_flow(download: CheckedVersion) -> AnyFlow:
    import cloudpickle

    if git := download.manifest.git:
        raise BadRequest(
            f"The content of {download.manifest.full_name} is not a flow: runs load {git.path} of {git.repository}.",
            fix=f"Run `git checkout {git.commit[:12]}` in a clone of that repository.",
        )
    flow: AnyFlow = cloudpickle.loads(download.opened.body)
    if not is_flow(flow):
        raise ContentRefused(f"The flow content holds a {type(flow).__name__}, not a flow.")
    return flow
