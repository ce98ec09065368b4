"""The state of a deployment before a new version: what Prefect, the store and the journal have, and what conflicts with it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from satflow_ext.deployments import conflicts
from satflow_ext.deployments.drift import MergedChoices, merge_choices
from satflow_ext.deployments.journal import DeploymentWrite
from satflow_ext.deployments.queries import version_number
from satflow_ext.deployments.recovery import RecoveredDeployment
from satflow_ext.deployments.rows import find_path_changes
from satflow_ext.endpoints import Endpoints
from satflow_ext.errors import SatflowError
from satflow_ext.keys import TrustedKeys
from satflow_ext.models import Finding, GitFile
from satflow_ext.prefect_rows import DeploymentRow
from satflow_ext.versions import manifest_store
from satflow_ext.versions.manifest import MAX_EARLIER, Manifest
from satflow_ext.versions.pin import pin_of


@dataclass(frozen=True)
class ChainPosition:
    """A version's position in its chain: its number, and the manifests before it, nearest first."""

    version: int
    earlier: tuple[str, ...]


@dataclass(frozen=True)
class DeploymentState:
    """A deployment as it is now.

    Args:
        full_name: `flow/deployment`.
        row: its row in Prefect, None if there is none.
        found: the manifest of its live version, the error that prevented reading it, or None without a version.
        written: the last write of this machine.
    """

    full_name: str
    row: DeploymentRow | None
    found: Manifest | SatflowError | None
    written: DeploymentWrite | None

    @property
    def live(self) -> Manifest | None:
        """The manifest of the live version, None if it is unknown."""
        return self.found if isinstance(self.found, Manifest) else None

    @property
    def next_position(self) -> ChainPosition:
        """The position after the live version: its number in the manifest, or in Prefect if the manifest is lost, plus one.

        A number is used only once, even if Prefect no longer has the last row that this machine wrote.
        """
        pin = pin_of(self.row) if self.row else None
        if self.live and pin:
            position = ChainPosition(self.live.version + 1, (pin.manifest, *self.live.earlier)[:MAX_EARLIER])
        elif self.row and pin:
            position = ChainPosition(version_number(self.row.version) + 1, (pin.manifest,))
        else:
            position = ChainPosition(1, ())
        if self.written is None or position.version > self.written.version:
            return position
        return ChainPosition(self.written.version + 1, (self.written.manifest,))

    def is_unchanged(self, draft: Manifest) -> bool:
        """Return whether a new version would be the same as the live one."""
        return self.live is not None and _version_identity(self.live) == _version_identity(draft)

    def find_other_notebook(self, draft: Manifest) -> tuple[Finding, ...]:
        """Return a warning if the live version was registered from another notebook or file.

        Files with the same name count as the same file in two checkouts, unless this machine has both.
        """
        before, now = self.live.source.notebook if self.live else None, draft.source.notebook
        if before is None or now is None or _is_same_notebook(before, now):
            return ()
        return (
            Finding(
                kind="notebook",
                level="warning",
                where=draft.variable,
                message=f"was registered from {before} before, now from {now}",
                fix="Give one of them another name if both should run.",
            ),
        )

    def merge_draft(self, draft: Manifest, *, overwrite: bool, runs_locally: bool) -> MergedChoices:
        """Merge the choices of a draft with the live values in Prefect.

        Raises:
            DeploymentDrifted: without `overwrite`, if it would overwrite changes that were made in Prefect.
        """
        merged = merge_choices(draft, self.live, self.row, overwrite=overwrite)
        if self.row and not overwrite:
            path_changes = find_path_changes(self.live, self.row, local=runs_locally)
            conflicts.check_conflicts(merged.contested + path_changes, self.full_name)
        return merged


async def read_state(
    recovered: RecoveredDeployment, endpoints: Endpoints, trusted_keys: TrustedKeys
) -> DeploymentState:
    """Read the state of a recovered deployment."""
    found = await read_live_manifest(recovered.row, endpoints, trusted_keys)
    return DeploymentState(recovered.full_name, recovered.row, found, recovered.written)


async def read_compatible_state(
    recovered: RecoveredDeployment,
    endpoints: Endpoints,
    trusted_keys: TrustedKeys,
    *,
    overwrite: bool,
    replaces: Collection[str] | None = None,
) -> DeploymentState:
    """Read the state of a recovered deployment, and refuse one of which this registration may not become the next version.

    Args:
        recovered: the deployment.
        endpoints: the store.
        trusted_keys: the keys that may have signed its live version.
        overwrite: whether to overwrite changes that were made in Prefect.
        replaces: ids of the deployments of which this may become the next version, None for any.

    Raises:
        DeploymentDrifted: it was deleted in Prefect, or runs something else.
        DeploymentTaken: SatFlow did not create it.
        RegisteredElsewhere: it is not one of `replaces`.
    """
    if not overwrite:
        conflicts.check_divergence(recovered)
    state = await read_state(recovered, endpoints, trusted_keys)
    if state.row and replaces is not None and str(state.row.id) not in replaces:
        conflicts.refuse_other_notebook(state.live, state.full_name)
    return state


async def read_live_manifest(
    row: DeploymentRow | None, endpoints: Endpoints, trusted_keys: TrustedKeys
) -> Manifest | SatflowError | None:
    """Read the manifest of the live version; None if there is no such version.

    A manifest that is not signed by a trusted key is not returned for comparison: its flow must not be reported as "unchanged".
    """
    pin = pin_of(row) if row else None
    if pin is None or pin.store != endpoints.store.name:
        return None
    try:
        return await manifest_store.read_verified_manifest(endpoints.store, pin.manifest, trusted_keys)
    except SatflowError as error:
        return error


def _is_same_notebook(before: str, now: str) -> bool:
    paths = Path(before), Path(now)
    if before == now or paths[0].name != paths[1].name:
        return before == now
    both = all(path.is_absolute() and path.exists() for path in paths)
    return not both or paths[0].samefile(paths[1])


def _version_identity(version: Manifest) -> tuple[object, ...]:
    return (
        version.exact,
        version.chosen,
        version.worker_sizes,
        version.job_variables,
        version.environment,
        _file_identity(version.git),
    )


def _file_identity(git: GitFile | None) -> tuple[str, str, str] | None:
    """Return the values that identify the files of a run: another commit may contain the same files."""
    return (git.repository, git.path, git.tree) if git else None
