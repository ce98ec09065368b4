"""The versions of a deployment: a chain of manifests, each with the digests of some previous ones."""

from __future__ import annotations

from dataclasses import dataclass, field

from satflow_ext.endpoints import Store
from satflow_ext.errors import ContentRefused, SatflowError, VersionNotFound
from satflow_ext.versions import manifest_store
from satflow_ext.versions.manifest import MAX_EARLIER, Manifest


@dataclass(frozen=True)
class VersionLink:
    """One version: its number, its manifest's digest, and the manifest or the error that prevented reading it."""

    number: int
    digest: str
    found: Manifest | SatflowError


@dataclass
class VersionChain:
    """The versions of one deployment, found from the newest down. Manifests are read only when they are needed.

    Args:
        store: the store of the manifests.
        full_name: `flow/deployment`.
        newest: number of the live version.
        digests: number → digest of its manifest, as far as known; at first only that of the live version.
    """

    store: Store
    full_name: str
    newest: int
    digests: dict[int, str] = field(default_factory=dict)

    async def read_links(self, first: int, count: int) -> list[VersionLink]:
        """Return versions `first`, `first - 1` and so on, at most `count`; fewer if no manifest references the others."""
        lowest = max(first - count + 1, 1)
        await self._find_digests(lowest)
        numbers = [number for number in range(min(first, self.newest), lowest - 1, -1) if number in self.digests]
        found = await self._read_manifests(numbers)
        return [VersionLink(number, self.digests[number], found[number]) for number in numbers]

    async def _find_digests(self, lowest: int) -> None:
        """Find the digests down to a version. A manifest references `MAX_EARLIER` previous ones, so few have to be read."""
        while (known := min(self.digests)) > lowest:
            for number in range(known, min(known + MAX_EARLIER, self.newest) + 1):
                found = (await self._read_manifests([number]))[number] if number in self.digests else None
                if isinstance(found, Manifest):
                    before = enumerate(found.earlier, start=1)
                    self.digests = {number - step: digest for step, digest in before if step < number} | self.digests
                if min(self.digests) < known:
                    break
            else:
                return

    async def _read_manifests(self, numbers: list[int]) -> dict[int, Manifest | SatflowError]:
        found = await manifest_store.read_manifests(self.store, [self.digests[number] for number in numbers])
        return {number: self._check_link(number, found[self.digests[number]]) for number in numbers}

    def _check_link(self, number: int, found: Manifest | SatflowError) -> Manifest | SatflowError:
        if isinstance(found, SatflowError) or (found.full_name, found.version) == (self.full_name, number):
            return found
        return ContentRefused(
            f"The manifest is of {found.full_name} version {found.version}, not of {self.full_name} version {number}."
        )


async def read_version_manifest(chain: VersionChain, number: int) -> Manifest:
    """Return the manifest of one version.

    Raises:
        VersionNotFound: there is no such version, or no readable manifest references it.
        ContentMissing: the store has lost the manifest.
    """
    links = await chain.read_links(number, 1) if 0 < number <= chain.newest else []
    if not links:
        known = f"It has versions 1 to {chain.newest}." if chain.newest else None
        raise VersionNotFound(f"{chain.full_name} has no version {number}.", fix=known, field="version")
    if isinstance(links[0].found, SatflowError):
        raise links[0].found
    return links[0].found
