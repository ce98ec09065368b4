"""A live flow becomes a private file with its pickle, and a description of it."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path

from satflow_ext.environments.installed import environment
from satflow_ext.errors import SatflowError
from satflow_ext.kernel import parameters, refusals
from satflow_ext.kernel.carried import Carrier, Sources, modules, sources
from satflow_ext.kernel.choose import choose
from satflow_ext.kernel.describe import Descriptions
from satflow_ext.kernel.find import AnyFlow, Found, Shell
from satflow_ext.kernel.fingerprint import fingerprint
from satflow_ext.kernel.included import included, notebook_folder
from satflow_ext.kernel.pickler import TooLarge, dump
from satflow_ext.kernel.source import source
from satflow_ext.kernel.uses import uses
from satflow_ext.models import CarriedFile, JsonObject, PackedFlow


def pack(
    flow: AnyFlow | str,
    directory: Path,
    *,
    namespace: Mapping[str, object],
    shell: Shell | None = None,
    given: JsonObject | None = None,
    complete: bool = False,
    include: Sequence[str] = (),
    limit: int,
) -> PackedFlow:
    """Pickle a flow with everything of the notebook and of local modules that it reaches.

    Args:
        flow: the flow, its variable or its name.
        directory: a private folder for the file; the caller deletes it.
        namespace: where the flow lives.
        shell: the IPython shell, for the texts of the cells.
        given: values for parameters.
        complete: whether every required parameter needs a value.
        include: data files that travel with it, as patterns relative to the notebook's folder.
        limit: the largest pickle, in bytes; and as much for all data files together.

    Raises:
        FlowNotFound: no such flow.
        FlowAmbiguous: several flows have that name.
        InvalidParameter: a value does not fit.
        InvalidInclude: data files cannot travel.
        ContentTooLarge: more than `limit` bytes.
        CannotPickle: something that it reaches cannot travel.
    """
    found = choose(flow, namespace)
    parameters.check(found.flow, given or {}, complete=complete)
    carried = sources(found.flow)
    body, size = _write(found, carried, directory, limit)
    try:
        files = included(include, notebook_folder(shell), directory, limit)
        return PackedFlow(
            flow=Descriptions().describe([found], shell)[0],
            body=str(body),
            size=size,
            exact=_exact(found.flow, carried, files),
            environment=environment(),
            uses=uses(found.flow),
            source=source(found.flow, shell, carried),
            files=files,
        )
    except BaseException:
        body.unlink(missing_ok=True)
        raise


def _exact(flow: AnyFlow, carried: Sources, files: tuple[CarriedFile, ...]) -> str:
    """The fingerprint of all that travels."""
    named = {file.path: file.digest for file in files}
    return fingerprint((flow, carried, modules(carried), named) if carried or named else flow, exact=True)


def _write(found: Found, carried: Sources, directory: Path, limit: int) -> tuple[Path, int]:
    """The pickle in a new file that only its owner can read; no file is left when that fails."""
    if refusals.lost_name(found) is not None:
        raise refusals.cannot_pickle(found, None)
    body = directory / f"flow-{secrets.token_hex(8)}.pkl"
    descriptor = os.open(body, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            return body, dump(Carrier(found.flow, carried, modules(carried)), file, limit)
    except BaseException as error:
        body.unlink(missing_ok=True)
        raise _why(found, error, limit) from None


def _why(found: Found, error: BaseException, limit: int) -> BaseException:
    """What to raise instead. Whatever is no Exception, such as an interrupt, stays what it is."""
    if isinstance(error, TooLarge):
        return refusals.too_large(found, limit)
    if isinstance(error, SatflowError | OSError) or not isinstance(error, Exception):
        return error
    return refusals.cannot_pickle(found, error)
