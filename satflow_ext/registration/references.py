"""Contents of the built-in store that are in use: by a deployment, or by a version that it can be rolled back to."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from satflow_ext.endpoints import Endpoints
from satflow_ext.registration import deployments, manifest
from satflow_ext.registration.journal import Journal
from satflow_ext.settings import LOCAL, Settings

ReadDocument = Callable[[str], bytes | None]


async def find_used_digests(endpoints: Endpoints, settings: Settings, read: ReadDocument) -> frozenset[str]:
    """Return the digests of all manifests, flow contents and data files that are referenced.

    The pins of deployments are read from the Prefect API in use. Other Prefect APIs that this user registered with are not
    queried: their pins in the journal count as in use.

    Args:
        endpoints: the Prefect API.
        settings: define the folder of the journal.
        read: digest → the document in the built-in store, None if there is none.

    Raises:
        PrefectFailed: the API did not answer.
        JournalFailed: an entry cannot be read, so its references are unknown.
        ContentRefused: a manifest cannot be read, so its references are unknown.
    """
    pins = [*await deployments.list_pins(endpoints), *Journal(settings).pins_elsewhere(endpoints)]
    return follow_references([pin.manifest for pin in pins if pin.store == LOCAL], read)


def follow_references(manifests: Iterable[str], read: ReadDocument) -> frozenset[str]:
    """Return the digests of these manifests, of all versions before them, and of everything that they reference.

    Raises:
        ContentRefused: an existing manifest cannot be read.
    """
    found: set[str] = set()
    waiting = list(manifests)
    while waiting:
        digest = waiting.pop()
        if digest in found:
            continue
        found.add(digest)
        document = read(digest)
        if document is not None:
            known = manifest.parse_manifest(document, digest)
            found.add(known.content)
            found.update(file.digest for file in known.files)
            waiting += known.earlier
    return frozenset(found)
