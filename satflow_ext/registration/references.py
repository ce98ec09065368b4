"""Which contents of the built-in store are in use: by a deployment, or by a version that it can be rolled back to."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from satflow_ext.endpoints import Endpoints
from satflow_ext.registration import deployments, manifest
from satflow_ext.registration.journal import Journal
from satflow_ext.settings import LOCAL, Settings

Read = Callable[[str], bytes | None]


async def in_use(endpoints: Endpoints, settings: Settings, read: Read) -> frozenset[str]:
    """Digests of all manifests, flow contents and data files that something refers to.

    Prefect says what the deployments of the API in use pin. Of other Prefect APIs that this user registered with, nobody is
    asked: what the journal says of those stays in use.

    Args:
        endpoints: the Prefect API.
        settings: say where the journal is.
        read: digest → the document in the built-in store, None where it has none.

    Raises:
        PrefectFailed: the API did not answer.
        JournalFailed: an entry cannot be read, so nobody knows what it refers to.
        ContentRefused: a manifest cannot be read, so nobody knows what it refers to.
    """
    pins = [*await deployments.pins(endpoints), *Journal(settings).pins_elsewhere(endpoints)]
    return reached([pin.manifest for pin in pins if pin.store == LOCAL], read)


def reached(manifests: Iterable[str], read: Read) -> frozenset[str]:
    """The digests of these manifests, of all versions before them, and of what all of them name.

    Raises:
        ContentRefused: a manifest that is there cannot be read.
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
            known = manifest.read(document, digest)
            found.add(known.content)
            found.update(file.digest for file in known.files)
            waiting += known.earlier
    return frozenset(found)
